internal import Glibc

/// Whether two pieces of memory hold the same bytes (`memcmp`; Swift's own comparison is bytewise and slow in
/// debug builds).
package func haveSameBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  guard a.count == b.count else { return false }
  guard let left = a.baseAddress, let right = b.baseAddress, a.count > 0 else { return true }
  return memcmp(left, right, a.count) == 0
}
