public import DRModel
internal import DRSupport

// Typed readers. `code` is `configuration` for dr.yaml and its like; every error carries file and line.
extension YAMLNode {
    /// What a reader throws: `PATH: expected X, found Y`.
    public func mismatch(_ path: String, expected: String, code: ErrorCode = .configuration) -> DRError {
        DRError(code, "\(path): expected \(expected), found \(kind)", location: location)
    }

    /// A scalar's text, as it is written; nothing (`~`, an empty value) is refused.
    public func string(_ path: String, expected: String = "a text", code: ErrorCode = .configuration) throws(DRError) -> String {
        guard let scalar, !isNull else { throw mismatch(path, expected: expected, code: code) }
        return scalar
    }

    /// A whole number in decimal digits.
    public func integer(
        _ path: String, in range: ClosedRange<Int64> = .min ... .max, code: ErrorCode = .configuration
    ) throws(DRError) -> Int64 {
        let expected = range == .min ... .max ? "a whole number" : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let scalar, !isQuoted, let number = Int64(scalar), !scalar.hasPrefix("+"), range.contains(number) else {
            throw mismatch(path, expected: expected, code: code)
        }
        return number
    }

    /// `true` or `false`; YAML's other words for them (`yes`, `on`) are refused.
    public func bool(_ path: String, code: ErrorCode = .configuration) throws(DRError) -> Bool {
        guard !isQuoted else { throw mismatch(path, expected: "true or false", code: code) }
        switch scalar {
        case "true": return true
        case "false": return false
        default: throw mismatch(path, expected: "true or false", code: code)
        }
    }

    /// `90s`, `15m`, `1h30m`.
    public func duration(_ path: String, code: ErrorCode = .configuration) throws(DRError) -> Duration {
        guard let scalar, let duration = try? Duration(parsing: scalar) else {
            throw mismatch(path, expected: "a duration such as 90s, 15m or 1h30m", code: code)
        }
        return duration
    }

    /// `10KiB`, `64MiB`.
    public func size(_ path: String, code: ErrorCode = .configuration) throws(DRError) -> ByteCount {
        guard let scalar, let size = try? ByteCount(parsing: scalar) else {
            throw mismatch(path, expected: "a size such as 512B, 10KiB or 64MiB", code: code)
        }
        return size
    }

    /// A name of lower-case letters, digits, `-` and `.`.
    public func name<Of>(_ path: String, code: ErrorCode = .configuration) throws(DRError) -> Name<Of> {
        let text = try string(path, expected: "a name", code: code)
        do { return try Name<Of>(text) } catch {
            throw DRError(code, "\(path): \(error.message)", hint: error.hint, location: location)
        }
    }

    public func list(_ path: String, code: ErrorCode = .configuration) throws(DRError) -> [YAMLNode] {
        guard let items else { throw mismatch(path, expected: "a list", code: code) }
        return items
    }

    public func strings(_ path: String, code: ErrorCode = .configuration) throws(DRError) -> [String] {
        var strings: [String] = []
        for (index, item) in try list(path, code: code).enumerated() {
            strings.append(try item.string("\(path)[\(index)]", code: code))
        }
        return strings
    }

    public func map(_ path: String, code: ErrorCode = .configuration) throws(DRError) -> [Entry] {
        guard let entries else { throw mismatch(path, expected: "a map", code: code) }
        return entries
    }

    /// One of a closed list of words.
    public func choice(_ path: String, of words: [String], code: ErrorCode = .configuration) throws(DRError) -> String {
        let expected = "one of \(words.joined(separator: ", "))"
        let text = try string(path, expected: expected, code: code)
        guard words.contains(text) else {
            throw DRError(
                code, "\(path): expected \(expected), found \"\(text)\"\(Spelling.hint(for: text, in: words))", location: location)
        }
        return text
    }

    /// An error for each key of a map that is none of `names`, with the nearest of them.
    public func unknownKeys(_ path: String, allowed names: [String], code: ErrorCode = .configuration) -> [DRError] {
        (entries ?? []).filter { !names.contains($0.key) }.map { entry in
            DRError(
                code, "\(path.isEmpty ? "" : path + ": ")unknown key \"\(entry.key)\"\(Spelling.hint(for: entry.key, in: names))",
                hint: "known keys: \(names.joined(separator: ", "))", location: entry.keyLocation)
        }
    }
}
