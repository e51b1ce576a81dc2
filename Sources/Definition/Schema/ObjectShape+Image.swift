extension ObjectShape {
  /// `image.yaml` itself.
  static let image = ObjectShape(keys: [
    Key(
      "formatVersion", .constant(1), isRequired: true,
      "The version of this format. It freezes everything that decides the image's bytes."),
    Key(
      "name", .text(pattern: namePattern), isRequired: true,
      "The image's name: lower-case letters, digits, \".\", \"_\" and \"-\". The layout is written to build/<name> unless told otherwise."
    ),
    Key(
      "parameters", .map(.text(), keys: parameterPattern),
      "Texts that ${name} stands for in every value of from, inputs, layers, config and annotations; --set NAME=VALUE overrides one. ${os}, ${arch} and ${variant} are always there. $$ is a plain $."
    ),
    Key(
      "platforms", .list(.text(pattern: platformPattern), isEmptyAllowed: false),
      "The platforms to make an image for, such as linux/amd64 or linux/arm/v7. Without it, --platform says which."
    ),
    Key(
      "epoch", .integer(0...maximumTime),
      "The one time in the image, in seconds since 1970; --epoch overrides it. Default: SOURCE_DATE_EPOCH, else 0."
    ),
    Key(
      "from", .text(),
      "What the image stands on: scratch, the default; an image in a registry (registry.example/team/base:1.2, best with @sha256:…); oci:DIR[:TAG][@DIGEST], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME]; or the folder of another definition, which starts with ./, ../ or /."
    ),
    Key(
      "inputs", .map(.object(.input), keys: inputNamePattern),
      "Files that come from elsewhere, by the names that layers use for them."),
    Key(
      "accounts", .object(.accounts),
      "Users and groups: a first layer with /etc/passwd and /etc/group."),
    Key("layers", .list(.object(.layer)), "The layers, one each, in this order."),
    Key(
      "config", .object(.config),
      "How the image is run: the fields of the image-spec's config. null resets a field."),
    Key(
      "annotations", .map(.text()),
      "Annotations on the index and on every manifest. Platforms share them, so ${os}, ${arch} and ${variant} are not known here."
    ),
  ])

  static let input = ObjectShape(
    keys: [
      Key(
        "url", .byPlatform(.text(pattern: "https?://.*")),
        "Where to fetch the file: https, or http where a sha256 is given."),
      Key(
        "file", .byPlatform(.text()),
        "A local file, relative to the definition; read where it lies, never pinned."),
      Key(
        "sha256", .byPlatform(.text(pattern: "[0-9a-f]{64}")),
        "What the fetched file hashes to: 64 lower-case hexadecimal digits."),
      Key(
        "checksums", .text(pattern: "https://.*"),
        "The publisher's checksum file for url: lines of digest and file name, or one bare digest."),
      Key(
        "member", .byPlatform(.text()),
        "The one file to take out of the archive that the input is (tar, zip, deb)."),
    ],
    alternatives: ["url", "file"],
    later: [
      "image": "is not yet supported by this version: expected \"url\" or \"file\"",
      "package": "is not yet supported by this version: expected \"url\" or \"file\"",
      "command": "is not yet supported by this version: expected \"url\" or \"file\"",
    ])

  static let accounts = ObjectShape(keys: [
    Key("users", .list(.object(.user)), "The users of /etc/passwd, in this order."),
    Key("groups", .list(.object(.group)), "The groups of /etc/group, in this order."),
  ])

  static let user = ObjectShape(keys: [
    Key("name", .text(pattern: accountPattern), isRequired: true, "The user's name."),
    Key("uid", .integer(0...maximumID), isRequired: true, "The user's number."),
    Key("gid", .integer(0...maximumID), "The number of the user's group. Default: the uid."),
    Key("home", .text(pattern: "/[^:]*"), "The home directory. Default: /. It is not created."),
    Key("shell", .text(pattern: "/[^:]*"), "The login shell. Default: /sbin/nologin."),
  ])

  static let group = ObjectShape(keys: [
    Key("name", .text(pattern: accountPattern), isRequired: true, "The group's name."),
    Key("gid", .integer(0...maximumID), isRequired: true, "The group's number."),
    Key(
      "members", .list(.text(pattern: accountPattern)), "Names of users that are in the group, too."
    ),
  ])

  static let namePattern = "[a-z0-9][a-z0-9._-]*"
  static let inputNamePattern = "[A-Za-z0-9._-]+"
  static let parameterPattern = "[A-Za-z_][A-Za-z0-9._-]*"
  static let platformPattern = "[a-z0-9._-]+/[a-z0-9._-]+(/[a-z0-9._-]+)?"
  static let accountPattern = "[A-Za-z0-9_][A-Za-z0-9_.-]*\\$?"
  /// The last second that a tar header's eleven octal digits can hold.
  static let maximumTime: Int64 = (1 << 33) - 1
  /// The id above it means "no id" to the kernel.
  static let maximumID: Int64 = (1 << 32) - 2
}
