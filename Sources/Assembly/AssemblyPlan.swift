import Bindings
package import Definition
package import OCILayout
package import OCISpec
package import Reporting
package import SystemPackage

/// Everything that will be packed, known before anything is written.
package struct AssemblyPlan: Sendable {
  package let images: [ImagePlan]
  package let annotations: [String: String]

  /// Plans the images of a definition: reads directories and archives, looks at executables.
  ///
  /// - Parameters:
  ///   - inputs: verified files by platform and name.
  ///   - bases: what images stand on, by the definition's platforms; a platform without one is on scratch.
  ///   - epoch: the one time in the image, in seconds since 1970.
  ///   - spoolStore: where the content of archives waits until it is packed.
  ///   - outputs: folders that ociforge writes to; no tree takes them in.
  /// - Throws: a ``FailureList`` with everything that is wrong with the files.
  package init(
    _ definition: ImageDefinition, inputs: [Platform: [String: InputFile]],
    bases: [Platform: ResolvedBase], epoch: Int64, spoolStore: BlobStore,
    outputs: [FilePath] = [], reporter: Reporter
  ) throws {
    let archives = ScannedArchives()
    let reserved = outputs.compactMap { try? FileSystem.status(of: $0)?.identity }
    var failures: [any Failure] = []
    var plans: [ImagePlan] = []
    for image in definition.images {
      let base = bases[image.platform]
      guard base != nil || image.base == .scratch else {
        throw AssemblyError.missingBase(image.platform)
      }
      try base?.check()
      var planner = try LayerPlanner(
        epoch: epoch, inputs: inputs[image.platform] ?? [:], spoolStore: spoolStore,
        archives: archives, reserved: reserved, base: base)
      var definitions = image.layers
      do {
        let place = SourceLocation(file: definition.file.string, line: 1, column: 1)
        if let layer = try image.accounts?.layer(on: planner.lower, of: base, location: place) {
          definitions.insert(layer, at: 0)
        }
      } catch let list as FailureList { failures += list.failures }
      var layers: [LayerPlan] = []
      for layer in definitions {
        do {
          layers.append(try planner.plan(layer))
        } catch let list as FailureList { failures += list.failures }
      }
      do {
        try Self.checkExecutables(in: layers, of: image, planner, reporter)
      } catch let list as FailureList { failures += list.failures }
      plans.append(ImagePlan(definition: image, base: base, layers: layers))
    }
    // What the platforms share is wrong in each of them, and said once.
    var said = Set<String>()
    failures = failures.filter { said.insert($0.description).inserted }
    guard failures.isEmpty else { throw FailureList(failures) }
    annotations = definition.annotations
    images = plans
  }

  private static func checkExecutables(
    in layers: [LayerPlan], of image: PlatformImage, _ planner: LayerPlanner, _ reporter: Reporter
  ) throws {
    let findings = try ExecutableCheck(platform: image.platform).check(layers)
    for foreign in findings.foreign { reporter.warn(foreign.description) }
    for executable in findings.dynamic {
      guard let path = try? ImagePath(absolute: executable.interpreter), !planner.resolves(path)
      else { continue }
      reporter.warn(
        "\(executable.origin): \(executable.path.description.quoted) needs the loader \(executable.interpreter.quoted), which the image does not contain (\(image.platform)); link it statically, or add the loader and its libraries"
      )
    }
  }
}

/// What one platform's image is packed from.
package struct ImagePlan: Sendable {
  package let definition: PlatformImage
  /// `nil` on scratch.
  package let base: ResolvedBase?
  package let layers: [LayerPlan]

  package var platform: Platform { definition.platform }
}
