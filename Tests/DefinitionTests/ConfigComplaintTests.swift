import Definition
import Testing

@Suite("Complaints about the config")
struct ConfigComplaintTests {
  @Test("every mistake is named with its place, once", arguments: cases)
  func complaints(_ example: ComplaintCase) { example.check() }

  static let cases: [ComplaintCase] = [
    ComplaintCase(
      "a misspelt key",
      after: #"""
        config:
          entrypiont: [a]
        """#,
      [
        #"image.yaml:5:3: config: expected a known key, found "entrypiont"; did you mean "entrypoint"?"#
      ]),
    ComplaintCase(
      "a text where a list belongs",
      after: #"""
        config:
          entrypoint: /bin/app --serve
          cmd: run
        """#,
      [
        #"image.yaml:5:15: entrypoint: expected a list, found the text "/bin/app --serve"; write ["/bin/app", "--serve"]"#,
        #"image.yaml:6:8: cmd: expected a list, found the text "run"; write ["run"]"#,
      ]),
    ComplaintCase(
      "an integer in a list",
      after: #"""
        config:
          cmd: [sleep, 10]
        """#,
      [
        #"image.yaml:5:16: cmd[1]: expected text, found the integer 10; quote it: "10""#
      ]),
    ComplaintCase(
      "a port of 70000 and others that are none",
      after: #"""
        config:
          exposedPorts: [70000, 0, 80/icmp, 90-80, http, "-1"]
        """#,
      [
        #"image.yaml:5:18: exposedPorts[0]: expected a port from 1 to 65535 such as 4317, "8125/udp" or "9000-9002", found the integer 70000"#,
        #"image.yaml:5:25: exposedPorts[1]: expected a port from 1 to 65535 such as 4317, "8125/udp" or "9000-9002", found the integer 0"#,
        #"image.yaml:5:28: exposedPorts[2]: expected a port from 1 to 65535 such as 4317, "8125/udp" or "9000-9002", found "80/icmp""#,
        #"image.yaml:5:37: exposedPorts[3]: expected a port from 1 to 65535 such as 4317, "8125/udp" or "9000-9002", found "90-80""#,
        #"image.yaml:5:44: exposedPorts[4]: expected a port from 1 to 65535 such as 4317, "8125/udp" or "9000-9002", found "http""#,
        #"image.yaml:5:50: exposedPorts[5]: expected a port from 1 to 65535 such as 4317, "8125/udp" or "9000-9002", found "-1""#,
      ]),
    ComplaintCase(
      "a port as a list's stand-in",
      after: #"""
        config:
          exposedPorts: 4317
        """#,
      [
        #"image.yaml:5:17: exposedPorts: expected a list, found the integer 4317"#
      ]),
    ComplaintCase(
      "a user without quotes",
      after: #"""
        config:
          user: 10001
        """#,
      [
        #"image.yaml:5:9: user: expected a user such as "10001", "10001:10001" or "app", found the integer 10001; quote it: "10001""#
      ]),
    ComplaintCase(
      "a user of three parts",
      after: #"""
        config:
          user: "1:2:3"
        """#,
      [
        #"image.yaml:5:9: user: expected a user such as "10001", "10001:10001" or "app", found "1:2:3""#
      ]),
    ComplaintCase(
      "variables",
      after: #"""
        config:
          env: { A: 1, "B=C": x, "": y, D: true }
        """#,
      [
        #"image.yaml:5:13: env.A: expected text, found the integer 1; quote it: "1""#,
        #"image.yaml:5:16: env.B=C: expected a variable's name without "=", found "B=C""#,
        #"image.yaml:5:26: env.: expected a variable's name without "=", found """#,
        #"image.yaml:5:36: env.D: expected text, found the boolean true; quote it: "true""#,
      ]),
    ComplaintCase(
      "env as a list",
      after: #"""
        config:
          env: [A=1]
        """#,
      [
        #"image.yaml:5:8: env: expected a map, found a list"#
      ]),
    ComplaintCase(
      "volumes and a directory that are relative",
      after: #"""
        config:
          volumes: [data]
          workingDir: etc/otel
        """#,
      [
        #"image.yaml:5:13: volumes[0]: expected a path that starts with "/", got "data""#,
        #"image.yaml:6:15: workingDir: expected a path that starts with "/", got "etc/otel""#,
      ]),
    ComplaintCase(
      "labels that are not text",
      after: #"""
        config:
          labels: { a: 1.0 }
        """#,
      [
        #"image.yaml:5:16: labels.a: expected text, found the number 1.0; quote it: "1.0""#
      ]),
    ComplaintCase(
      "a signal that is none",
      after: #"""
        config:
          stopSignal: TERM
        """#,
      [
        #"image.yaml:5:15: stopSignal: expected a signal such as SIGTERM, found "TERM""#
      ]),
    ComplaintCase(
      "a signal without quotes",
      after: #"""
        config:
          stopSignal: 15
        """#,
      [
        #"image.yaml:5:15: stopSignal: expected a signal such as SIGTERM, found the integer 15; quote it: "15""#
      ]),
    ComplaintCase(
      "a health check as text",
      after: #"""
        config:
          healthcheck: { test: curl -f localhost }
        """#,
      [
        #"image.yaml:5:24: test: expected a list, found the text "curl -f localhost"; write ["CMD-SHELL", "curl -f localhost"]"#
      ]),
    ComplaintCase(
      "health checks that are none",
      after: #"""
        config:
          healthcheck: { test: [curl], interval: 30, timeout: 5 minutes, startPeriod: 1us, retries: -1 }
        """#,
      [
        #"image.yaml:5:24: test: expected [NONE], [CMD, program, argument…] or [CMD-SHELL, command], found ["curl"]"#,
        #"image.yaml:5:42: interval: expected a duration such as "30s", "1m30s" or "500ms", none or at least 1ms, found the integer 30"#,
        #"image.yaml:5:55: timeout: expected a duration such as "30s", "1m30s" or "500ms", none or at least 1ms, found "5 minutes""#,
        #"image.yaml:5:79: startPeriod: expected a duration such as "30s", "1m30s" or "500ms", none or at least 1ms, found "1us""#,
        #"image.yaml:5:93: retries: expected a number from 0 to 1000000, found the integer -1"#,
      ]),
    ComplaintCase(
      "an empty shell",
      after: #"""
        config:
          shell: []
        """#,
      [
        #"image.yaml:5:10: shell: expected a program, found an empty list"#
      ]),
    ComplaintCase(
      "a key of a health check",
      after: #"""
        config:
          healthcheck: { retry: 3 }
        """#,
      [
        #"image.yaml:5:18: healthcheck: expected a known key, found "retry"; there are "test", "interval", "timeout", "startPeriod", "startInterval", "retries""#
      ]),
    ComplaintCase(
      "complaints stand in the order of the file",
      after: #"""
        config:
          cmd: x
          user: 5
          author: [a]
        name: again
        epoch: x
        """#,
      [
        #"image.yaml:5:8: cmd: expected a list, found the text "x"; write ["x"]"#,
        #"image.yaml:6:9: user: expected a user such as "10001", "10001:10001" or "app", found the integer 5; quote it: "5""#,
        #"image.yaml:7:11: author: expected text, found a list"#,
        #"image.yaml:8:1: expected each key once, found "name" again; the first is at 2:1"#,
        #"image.yaml:9:8: epoch: expected seconds from 0 to 8589934591, found the text "x""#,
      ]),
  ]
}
