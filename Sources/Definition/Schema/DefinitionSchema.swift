package import OCISpec

/// The JSON Schema (draft 2020-12) of `image.yaml`, for editors and for those who make definitions by
/// program.
///
/// It accepts every definition that ``ImageDefinition/load(_:overrides:platforms:)`` accepts. What takes more
/// than one value to see, such as a layer's name that appears twice, only the latter refuses.
package enum DefinitionSchema {
  package static var json: JSON {
    var schema: JSONObject = [
      "$schema": "https://json-schema.org/draft/2020-12/schema",
      "title": "ociforge image definition, formatVersion 1",
    ]
    for (key, value) in (ObjectShape.image.schema.objectValue ?? JSONObject()).members {
      schema[key] = value
    }
    return .object(schema)
  }
}

extension ObjectShape {
  var schema: JSON {
    var properties = JSONObject()
    for key in keys {
      var property = key.value.schema
      property["description"] = .string(key.help)
      properties[key.name] = .object(property)
    }
    let required = keys.filter(\.isRequired).map { JSON.string($0.name) }
    let choices = alternatives.map { JSON.object(["required": .array([.string($0)])]) }
    return .object([
      "type": "object",
      "additionalProperties": .bool(false),
      "required": required.isEmpty ? nil : .array(required),
      "oneOf": choices.isEmpty ? nil : .array(choices),
      "properties": .object(properties),
    ])
  }
}

extension ValueShape {
  fileprivate var schema: JSONObject {
    switch self {
    case .text(let pattern):
      ["type": "string", "pattern": pattern.map { .string("^(\($0))$|\\$") }]
    case .integer(let range):
      [
        "type": "integer", "minimum": .integer(range.lowerBound),
        "maximum": .integer(range.upperBound),
      ]
    case .constant(let value): ["const": .integer(value)]
    case .alwaysTrue: ["const": .bool(true)]
    case .null: ["type": "null"]
    case .list(let element, let isEmptyAllowed):
      [
        "type": "array", "minItems": isEmptyAllowed ? nil : .integer(1),
        "items": .object(element.schema),
      ]
    case .map(let value, let keys):
      [
        "type": "object",
        "propertyNames": keys.map { .object(["pattern": .string("^(\($0))$")]) },
        "additionalProperties": .object(value.schema),
      ]
    case .byPlatform(let value):
      ValueShape.either([value, .map(value, keys: ObjectShape.platformPattern)]).schema
    case .object(let shape): shape.schema.objectValue ?? JSONObject()
    case .either(let shapes): ["anyOf": .array(shapes.map { .object($0.schema) })]
    }
  }
}
