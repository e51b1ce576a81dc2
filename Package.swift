// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func test(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: strict)
}

func system(_ name: String, apt package: String) -> Target {
  .systemLibrary(name: name, providers: [.apt([package])])
}

let filePaths = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let http = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let threads = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "ociforge",
  products: [.executable(name: "ociforge", targets: ["ociforge"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
  ],
  targets: [
    system("CLibArchive", apt: "libarchive-dev"),
    system("COpenSSL", apt: "libssl-dev"),
    system("CZlib", apt: "zlib1g-dev"),
    system("CLibDeflate", apt: "libdeflate-dev"),
    system("CYAML", apt: "libyaml-dev"),
    system("CLinux", apt: "libc6-dev"),

    library("Reporting", []),
    library("OCISpec", ["Reporting"]),
    library(
      "Bindings",
      [
        "Reporting", "OCISpec", "CLibArchive", "COpenSSL", "CZlib", "CLibDeflate", "CYAML",
        "CLinux", filePaths,
      ]),
    library("Definition", ["Reporting", "OCISpec", "Bindings", filePaths]),
    library("OCILayout", ["Reporting", "OCISpec", "Bindings", filePaths]),
    library("Workers", [nioCore, threads]),
    library(
      "Credentials", ["Reporting", "Workers", "OCISpec", "OCILayout", "Bindings", filePaths]),
    library(
      "Remote",
      [
        "Reporting", "Workers", "Credentials", "OCISpec", "OCILayout", "Bindings", filePaths, http,
        nioCore, nioHTTP, nioTLS, threads,
      ]),
    library(
      "Server",
      [
        "Reporting", "Workers", "OCISpec", "OCILayout", "Bindings", filePaths, nioCore, nioHTTP,
        threads,
      ]
    ),
    library(
      "Inputs",
      [
        "Reporting", "Workers", "Definition", "Remote", "OCILayout", "OCISpec", "Bindings",
        filePaths,
      ]),
    library(
      "Assembly",
      ["Reporting", "Workers", "OCISpec", "OCILayout", "Bindings", "Definition", filePaths]),
    .executableTarget(
      name: "ociforge",
      dependencies: [
        "Assembly", "Bindings", "Credentials", "Definition", "Inputs", "OCILayout", "OCISpec",
        "Remote", "Reporting", "Server", "Workers", arguments, filePaths,
      ],
      swiftSettings: strict),

    .target(
      name: "TestSupport",
      dependencies: ["Server", "OCISpec", "OCILayout", filePaths, nioCore, nioHTTP, threads],
      path: "Tests/TestSupport", swiftSettings: strict),
    test("OCISpecTests", ["OCISpec", "Reporting"]),
    test("BindingsTests", ["Bindings", "OCISpec", "Reporting", filePaths]),
    test("DefinitionTests", ["Definition", "Bindings", "OCISpec", "Reporting", filePaths]),
    test("OCILayoutTests", ["OCILayout", "Bindings", "OCISpec", "Reporting", filePaths]),
    test(
      "CredentialsTests",
      ["Credentials", "OCILayout", "Bindings", "OCISpec", "Reporting", filePaths]),
    test(
      "ServerTests",
      [
        "Server", "OCILayout", "Bindings", "OCISpec", "Reporting", filePaths, nioCore, nioHTTP,
        threads,
      ]),
    test(
      "RemoteTests",
      [
        "Remote", "Credentials", "Server", "OCILayout", "Bindings", "OCISpec", "Reporting",
        filePaths, nioCore, nioHTTP,
        threads,
      ]),
    test(
      "InputsTests",
      [
        "Inputs", "Remote", "Definition", "OCILayout", "Bindings", "OCISpec", "Reporting",
        filePaths,
      ]),
    test(
      "AssemblyTests",
      ["Assembly", "Definition", "OCILayout", "Bindings", "OCISpec", "Reporting", filePaths]),
    test("CommandTests", ["OCILayout", "OCISpec", "Server", filePaths, nioHTTP]),
  ]
)
