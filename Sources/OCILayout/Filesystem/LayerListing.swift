package import OCISpec

/// What a layer holds, without any content: enough to plan a layer on top of it.
package struct LayerListing: Sendable {
  /// The digest of the layer's uncompressed tar, computed while it was listed.
  package let diffID: DiffID
  /// In the layer's order, whiteouts included.
  package let members: [LayerMember]

  package init(diffID: DiffID, members: [LayerMember]) {
    self.diffID = diffID
    self.members = members
  }
}
