import Bindings
import Credentials
import OCILayout
import OCISpec
import Remote
import Reporting

/// What a command reaches registries with.
struct RegistryAccess: Sendable {
  let registries: Registries
  let chain: CredentialChain
}
