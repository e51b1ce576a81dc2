extension ObjectShape {
  static let config = ObjectShape(keys: [
    Key("author", nullable(.text()), "Who made the image: its config's author."),
    Key(
      "user", nullable(.text()), "Who runs in it: user, uid, user:group or uid:gid. Quote numbers."),
    Key(
      "exposedPorts",
      nullable(.list(.either([.integer(1...65535), .text(pattern: ExposedPorts.pattern)]))),
      "Ports that it listens on: 4317, \"4317/tcp\", \"8125/udp\", \"9000-9002\". Added to the base's."
    ),
    Key(
      "env", nullable(.map(.either([.text(), .null]), keys: "[^=]+")),
      "Environment variables by name; null removes one of the base's."),
    Key(
      "entrypoint", nullable(.list(.text())),
      "The program with its first arguments. Resets a base's cmd."),
    Key("cmd", nullable(.list(.text())), "Arguments that whoever runs the image can replace."),
    Key(
      "volumes", nullable(.list(.text(pattern: "/.*"))),
      "Directories to mount volumes on. Added to the base's."),
    Key("workingDir", nullable(.text(pattern: "/.*")), "The directory that it starts in."),
    Key(
      "labels", nullable(.map(.either([.text(), .null]))),
      "Labels by name; null removes one of the base's."),
    Key(
      "stopSignal", nullable(.text(pattern: StopSignal.pattern)),
      "The signal that stops it, such as SIGTERM."),
    Key("healthcheck", nullable(.object(.healthcheck)), "How to see whether it works."),
    Key("shell", nullable(.list(.text(), isEmptyAllowed: false)), "The shell of CMD-SHELL checks."),
    Key(
      "onBuild", nullable(.list(.text())), "Dockerfile instructions for images built on this one."),
  ])

  static let healthcheck = ObjectShape(keys: [
    Key(
      "test", .list(.text(), isEmptyAllowed: false),
      "[NONE], [CMD, program, argument…] or [CMD-SHELL, command]."),
    Key("interval", duration, "Time between checks, such as 30s."),
    Key("timeout", duration, "How long one check may take."),
    Key("startPeriod", duration, "Time to start up, in which failures do not count."),
    Key("startInterval", duration, "Time between checks while starting up."),
    Key(
      "retries", .either([.integer(0...maximumRetries), .text(pattern: "\\$.+")]),
      "Failures in a row that make it unhealthy."),
  ])

  static let maximumRetries: Int64 = 1_000_000

  private static let duration = ValueShape.text(pattern: HealthcheckDuration.pattern)

  private static func nullable(_ value: ValueShape) -> ValueShape { .either([value, .null]) }
}
