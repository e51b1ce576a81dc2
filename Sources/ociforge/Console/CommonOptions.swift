import ArgumentParser

/// What every command takes.
struct CommonOptions: ParsableArguments {
  @Flag(name: [.short, .long], help: "Say what is decided and requested, on stderr.")
  var verbose = false

  @Flag(name: [.short, .long], help: "Say nothing but warnings and errors.")
  var quiet = false

  @Option(help: "How progress is shown: a live bar on a terminal, sparse lines, or not at all.")
  var progress = Console.ProgressStyle.auto

  func validate() throws {
    if verbose && quiet { throw ValidationError("-v and -q exclude each other") }
  }

  func console() -> Console {
    Console(progress: progress, verbosity: verbose ? .verbose : quiet ? .quiet : .normal)
  }
}
