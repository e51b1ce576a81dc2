internal import Glibc

/// The wall clock, for protocols that speak in dates. Never for anything that ends in an image.
package func secondsSince1970() -> Int64 { Int64(time(nil)) }
