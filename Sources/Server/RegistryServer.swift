/// A registry over a layout, on loopback.
package enum RegistryServer {}
