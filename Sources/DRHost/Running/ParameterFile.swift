internal import DRManifest
public import DRModel

/// Parameters of a run from a YAML or JSON file: a map whose values are texts, numbers, booleans, lists or maps.
public enum ParameterFile {
    public static func read(_ file: String) throws -> Value {
        guard let text = try TextFile.read(PathText.absolute(file, in: PathText.workingFolder), shown: file) else {
            throw DRError(.invalidInput, "there is no file \(file) with parameters\(NearbyFile.hint(forGiven: file))")
        }
        let node = try YAMLNode.parse(text, file: file)
        guard node.entries != nil else { throw node.mismatch(file, expected: "a map of parameters", code: .invalidInput) }
        return value(node)
    }

    static func value(_ node: YAMLNode) -> Value {
        switch node.content {
        case .list(let items): return .list(items.map(value))
        case .map(let entries): return .map(Dictionary(entries.map { ($0.key, value($0.value)) }) { first, _ in first })
        case .scalar(let text, let isQuoted):
            if isQuoted { return .string(text) }
            if node.isNull { return .null }
            if text == "true" || text == "false" { return .bool(text == "true") }
            if let number = Int64(text) { return .integer(number) }
            if text.first.map({ "-.0123456789".contains($0) }) == true, let number = Double(text), number.isFinite {
                return .number(number)
            }
            return .string(text)
        }
    }
}
