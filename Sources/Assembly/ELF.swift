package import OCISpec

/// What an executable's ELF header says of where it runs. A file that is not ELF, or too odd to tell, is
/// `nil`.
package struct ELF: Sendable, Equatable {
  package let machine: UInt16
  package let is64Bit: Bool
  package let isLittleEndian: Bool
  /// Whether it is an executable or a shared object, not an object file or a core dump.
  package let isLoadable: Bool
  /// The path of the dynamic loader; `nil` for a static executable.
  package let interpreter: String?

  /// - Parameter read: the file's bytes from an offset, as many as were asked for or fewer at its end.
  package init?(read: (_ offset: Int64, _ count: Int) throws -> [UInt8]) throws {
    let header = try read(0, 64)
    guard header.count >= 52, header.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { return nil }
    let is64Bit = header[4] == 2
    let isLittleEndian = header[5] == 1
    func number(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> Int64? {
      guard offset <= bytes.count - size else { return nil }
      var value: UInt64 = 0
      for index in 0..<size {
        value = value << 8 | UInt64(bytes[offset + (isLittleEndian ? size - 1 - index : index)])
      }
      return Int64(exactly: value)
    }
    guard let type = number(header, 16, 2), let machine = number(header, 18, 2),
      let table = is64Bit ? number(header, 32, 8) : number(header, 28, 4),
      let entrySize = number(header, is64Bit ? 54 : 42, 2),
      let count = number(header, is64Bit ? 56 : 44, 2)
    else { return nil }
    self.machine = UInt16(machine)
    self.is64Bit = is64Bit
    self.isLittleEndian = isLittleEndian
    isLoadable = type == 2 || type == 3
    let headers = try read(table, Int(min(entrySize, 256) * min(count, 128)))
    var interpreter: String?
    for start in stride(from: 0, to: headers.count, by: max(1, Int(entrySize))) {
      // PT_INTERP is 3; its text ends in a NUL that its size counts.
      guard number(headers, start, 4) == 3,
        let offset = number(headers, start + (is64Bit ? 8 : 4), is64Bit ? 8 : 4),
        let size = number(headers, start + (is64Bit ? 32 : 16), is64Bit ? 8 : 4), size <= 4096
      else { continue }
      let text = try read(offset, Int(size)).prefix { $0 != 0 }
      if !text.isEmpty { interpreter = String(decoding: text, as: UTF8.self) }
    }
    self.interpreter = interpreter
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
