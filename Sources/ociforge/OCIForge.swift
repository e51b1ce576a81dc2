import ArgumentParser
import Bindings
import Reporting

/// The program: parse, call, print, exit. The only place that prints an error and chooses an exit code.
@main
struct OCIForge: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ociforge",
    abstract: "Assembles OCI images without Docker, a daemon, root or a running container.",
    discussion: """
      The answer of a command is on stdout and nothing else is; progress, warnings and errors are on stderr.

      A REF names an image: HOST[:PORT]/PATH[:TAG][@DIGEST] in a registry, in docker's spelling, \
      oci:DIR[:TAG][@DIGEST], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]. A bare name that is a layout \
      or a file here is refused; after docker:// it is the registry's.

      The cache is $OCIFORGE_CACHE, else $XDG_CACHE_HOME/ociforge, else ~/.cache/ociforge, else a temporary one. \
      The network heeds HTTPS_PROXY, HTTP_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR; registries also \
      OCIFORGE_PLAIN_HTTP (hosts with commas between them) and OCIFORGE_TLS_VERIFY (true, false). Credentials are \
      looked for by REGISTRY_AUTH_FILE, DOCKER_AUTH_CONFIG, DOCKER_CONFIG and, for Amazon ECR, the AWS_... \
      variables; `ociforge auth HOST` says what was found. SOURCE_DATE_EPOCH is the epoch where neither --epoch nor \
      the definition says one; NO_COLOR keeps messages plain.

      Exit codes: 0 done, 64 usage, 65 a definition, image or file is not what it must be, 66 no such file, tag \
      or repository, 69 network or registry unavailable, 70 our own fault, 73 cannot write, 74 cannot read, \
      76 protocol broken, 77 denied, 130 interrupted, 143 terminated.
      """,
    version: Version.number,
    subcommands: [
      Assemble.self, Push.self, Pull.self, Copy.self, Inspect.self, List.self, Cat.self,
      Export.self, Validate.self, Tags.self, Delete.self, Referrers.self, Tag.self, Untag.self,
      CollectGarbage.self, Login.self, Logout.self, Auth.self, Serve.self, Schema.self, Init.self,
      Version.self,
    ])

  /// What the parser's own errors begin with: the same as ours.
  static let _errorLabel = "error"

  static func main() async {
    ProcessState.prepare()
    do {
      var command = try parseAsRoot()
      if let command = command as? any InterruptibleCommand {
        try await Interruption.run(command)
      } else if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch let failure as FileError where failure.isClosedPipe {
      // What `head` and the like do: no fault of anybody. 128 + SIGPIPE, as where the signal ends a program.
      exit(withError: ExitCode(141))
    } catch let failure as any Failure {
      Console.printError(failure)
      exit(withError: ExitCode(failure.kind.exitCode))
    } catch is CancellationError {
      exit(withError: ExitCode(130))
    } catch  where exitCode(for: error) == .failure && !(error is ExitCode) {
      Console.printError("\(error)")
      exit(withError: ExitCode(FailureKind.software.exitCode))
    } catch {
      exit(withError: error)
    }
  }
}

extension FailureKind {
  /// sysexits.h, as product.md promises it.
  var exitCode: Int32 {
    switch self {
    case .usage: 64
    case .data: 65
    case .notFound: 66
    case .unavailable: 69
    case .software: 70
    case .cannotWrite: 73
    case .cannotRead: 74
    case .protocolBroken: 76
    case .denied: 77
    }
  }
}
