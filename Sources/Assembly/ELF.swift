package import OCISpec

/// What an executable's ELF header says of where it runs. Reads a file's first bytes only; a file that is not
/// ELF, or too odd to tell, is `nil`.
package struct ELF: Sendable, Equatable {
  package let machine: UInt16
  package let is64Bit: Bool
  package let isLittleEndian: Bool
  /// Whether it is an executable or a shared object, not an object file or a core dump.
  package let isLoadable: Bool
  /// Where in the file the path of the dynamic loader stands; `nil` for a static executable.
  package let interpreterRange: Range<Int>?

  /// As many of a file's first bytes as ``init(prefix:)`` looks at.
  package static let prefixSize = 4096

  package init?(prefix bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= 52, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { return nil }
    let is64Bit = bytes[4] == 2
    let isLittleEndian = bytes[5] == 1
    func number(_ offset: Int, _ size: Int) -> Int? {
      guard offset >= 0, offset <= bytes.count - size else { return nil }
      var value: UInt64 = 0
      for index in 0..<size {
        value = value << 8 | UInt64(bytes[offset + (isLittleEndian ? size - 1 - index : index)])
      }
      return Int(exactly: value)
    }
    guard let type = number(16, 2), let machine = number(18, 2),
      let table = is64Bit ? number(32, 8) : number(28, 4),
      let entrySize = number(is64Bit ? 54 : 42, 2), let count = number(is64Bit ? 56 : 44, 2)
    else { return nil }
    self.machine = UInt16(machine)
    self.is64Bit = is64Bit
    self.isLittleEndian = isLittleEndian
    isLoadable = type == 2 || type == 3
    var interpreter: Range<Int>?
    for index in 0..<min(count, 128) where table < bytes.count {
      let header = table + index * entrySize
      guard number(header, 4) == 3,
        let offset = number(header + (is64Bit ? 8 : 4), is64Bit ? 8 : 4),
        let size = number(header + (is64Bit ? 32 : 16), is64Bit ? 8 : 4), size > 1, size <= 4096,
        offset <= Int.max - size
      else { continue }
      interpreter = offset..<(offset + size - 1)
    }
    interpreterRange = interpreter
  }

  /// Whether this runs on a platform; a platform that is not in the table is taken on trust.
  package func runs(on platform: Platform) -> Bool {
    guard platform.os == "linux", let expected = Self.machines[platform.architecture] else {
      return true
    }
    return expected.machine == machine && expected.isLittleEndian == isLittleEndian
      && expected.is64Bit == is64Bit
  }

  /// The architecture in the words of images, or the ELF number.
  package var architecture: String {
    let match = Self.machines.first {
      $0.value.machine == machine && $0.value.isLittleEndian == isLittleEndian
        && $0.value.is64Bit == is64Bit
    }
    return match?.key ?? "ELF machine \(machine)"
  }

  // System V ABI, "e_machine"; Go's names for architectures.
  private static let machines: [String: (machine: UInt16, is64Bit: Bool, isLittleEndian: Bool)] = [
    "386": (3, false, true), "amd64": (62, true, true), "arm": (40, false, true),
    "arm64": (183, true, true), "loong64": (258, true, true), "ppc64le": (21, true, true),
    "ppc64": (21, true, false), "riscv64": (243, true, true), "s390x": (22, true, false),
    "mips64le": (8, true, true),
  ]
}
