internal import Glibc

// Texts of C as their bytes: paths and names are not always UTF-8.

func withNulTerminated<R>(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> R) -> R {
  (bytes + [0]).withUnsafeBytes { buffer in
    buffer.withMemoryRebound(to: CChar.self) { body($0.baseAddress.unsafelyUnwrapped) }
  }
}

func bytesUpToNul(_ text: UnsafePointer<CChar>) -> [UInt8] {
  var out: [UInt8] = []
  var cursor = text
  while cursor.pointee != 0 {
    out.append(UInt8(bitPattern: cursor.pointee))
    cursor += 1
  }
  return out
}

/// The texts as C has lists of them, with a null pointer at the end.
func withCStrings<R>(
  _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
) -> R {
  let pointers = texts.map { strdup($0) } + [nil]
  defer { for pointer in pointers { free(pointer) } }
  return pointers.withUnsafeBufferPointer { body($0.baseAddress.unsafelyUnwrapped) }
}
