import Bindings
import OCISpec

extension ImageFilesystem.Entry {
  /// Type and permissions as `ls -l` writes them: `drwxr-xr-x`, `-rwsr-xr-t`.
  package var modeText: String {
    let mode = header.mode
    func triple(_ shift: UInt32, special: UInt32, _ letters: (set: String, alone: String)) -> String
    {
      let bits = mode >> shift
      let execute =
        switch (bits & 1 != 0, mode & special != 0) {
        case (true, true): letters.set
        case (false, true): letters.alone
        case (true, false): "x"
        case (false, false): "-"
        }
      return (bits & 4 != 0 ? "r" : "-") + (bits & 2 != 0 ? "w" : "-") + execute
    }
    return typeLetter + triple(6, special: 0o4000, ("s", "S"))
      + triple(3, special: 0o2000, ("s", "S")) + triple(0, special: 0o1000, ("t", "T"))
  }

  /// What kind of entry this is, for error messages.
  package var kindText: String {
    switch header.kind {
    case .file, .hardlink: "a file"
    case .directory: "a directory"
    case .symlink: "a symlink"
    case .characterDevice, .blockDevice: "a device"
    case .fifo: "a fifo"
    }
  }

  private var typeLetter: String {
    switch header.kind {
    case .file, .hardlink: "-"
    case .directory: "d"
    case .symlink: "l"
    case .characterDevice: "c"
    case .blockDevice: "b"
    case .fifo: "p"
    }
  }

  /// The size of a file, the numbers of a device; 0 for all else.
  private var sizeText: String {
    switch header.kind {
    case .file(let size): "\(size)"
    case .characterDevice(let major, let minor), .blockDevice(let major, let minor):
      "\(major),\(minor)"
    default: "0"
    }
  }

  /// Mode, owner, size, time and name, each with what a terminal could take for a command escaped.
  fileprivate var columns: [String] {
    var name = path.description
    if case .symlink(let target) = header.kind { name += " -> \(ImagePath.escaped(target))" }
    let time = rfc3339(seconds: header.mtime) ?? "\(header.mtime)"
    return [modeText, "\(header.uid):\(header.gid)", sizeText, time, name]
  }
}

extension ImageFilesystem {
  /// One line an entry, in columns: `-rwxr-xr-x 0:0 1024 1970-01-01T00:00:00Z /bin/sh -> dash`.
  package static func listing(_ entries: [Entry]) -> [String] {
    let rows = entries.map(\.columns)
    func width(_ column: Int) -> Int { rows.lazy.map { $0[column].utf8.count }.max() ?? 0 }
    let ownerWidth = width(1), sizeWidth = width(2), timeWidth = width(3)
    return rows.map { row in
      [
        row[0], row[1].padded(ownerWidth), row[2].padded(sizeWidth, atFront: true),
        row[3].padded(timeWidth), row[4],
      ].joined(separator: " ")
    }
  }
}

extension String {
  fileprivate func padded(_ width: Int, atFront: Bool = false) -> String {
    let blanks = String(repeating: " ", count: max(0, width - utf8.count))
    return atFront ? blanks + self : self + blanks
  }
}
