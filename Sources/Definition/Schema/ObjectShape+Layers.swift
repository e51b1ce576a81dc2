extension ObjectShape {
  static let layer = ObjectShape(keys: [
    Key(
      "name", .text(), isRequired: true,
      "The layer's name, once in a definition; the image's history shows it."),
    Key("entries", .list(.object(.entry)), isRequired: true, "What lies in the layer."),
  ])

  static let entry = ObjectShape(
    keys: [
      Key(
        "path", .text(pattern: "/.*"), isRequired: true,
        "Where the entry lies in the image; starts with one /."),
      Key("input", .text(), "A file: the input of this name."),
      Key("file", .text(), "A file: a local one, relative to the definition."),
      Key("tree", .text(), "What a local directory holds, below path; symlinks stay symlinks."),
      Key(
        "archive", .either([.text(), .object(.archive)]),
        "What a tar holds, below path: a local file, or {input: NAME}. Modes, owners and links are the archive's."
      ),
      Key("text", .text(), "A file: this text."),
      Key("symlink", .text(), "A symbolic link to this target, which is not checked."),
      Key("hardlink", .text(pattern: "/.*"), "Another name of this file of the same layer."),
      Key("directory", .alwaysTrue, "A directory, empty unless other entries lie below it."),
      Key(
        "remove", .alwaysTrue,
        "Nothing: what the base or a lower layer has there is gone, a directory with all it holds."),
      Key("include", .list(.text()), "For tree: only what one of these patterns matches."),
      Key(
        "exclude", .list(.text()),
        "For tree: not what one of these patterns matches, even where include does."),
      Key(
        "mode", .text(pattern: "[0-7]{3,4}"),
        "Permission bits, a quoted octal number; for tree and archive those of the files. Default: \"0644\", \"0755\" for directories and where the source has an execute bit."
      ),
      Key("owner", .text(pattern: "[0-9]+:[0-9]+"), "uid:gid, two numbers. Default: 0:0."),
      Key(
        "mtime",
        .either([
          .integer(0...maximumTime),
          .text(pattern: "[0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"),
        ]),
        "The time of last change: seconds since 1970 or 2025-07-15T00:00:00Z. Default: the epoch."),
      Key(
        "xattrs",
        .map(.either([.text(), .object(.bytes)]), keys: "user\\..+|security\\.capability"),
        "Extended attributes, user.* and security.capability: a text, or {base64: …}."),
    ],
    alternatives: [
      "input", "file", "tree", "archive", "text", "symlink", "hardlink", "directory", "remove",
    ])

  static let archive = ObjectShape(keys: [
    Key("input", .text(), isRequired: true, "The name of the input that is the archive.")
  ])

  static let bytes = ObjectShape(keys: [
    Key(
      "base64", .text(pattern: "[A-Za-z0-9+/]*={0,2}"), isRequired: true,
      "The value's bytes in base64.")
  ])
}
