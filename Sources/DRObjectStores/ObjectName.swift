internal import DRModel

/// What an object may be called: `/`-separated segments of letters, digits, `.`, `_` and `-`, none beginning with `.`.
enum ObjectName {
    static func isValid(_ name: String) -> Bool {
        name.utf8.count <= 1024 && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isSegment)
    }

    /// The beginning of names, which may end within a segment or after a slash.
    static func isPrefix(_ prefix: String) -> Bool { isValid(prefix.hasSuffix("/") ? prefix + "x" : prefix) }

    static func invalid(_ name: String) -> DRError {
        DRError(
            .invalidInput, "\"\(name)\" is not the name of an object",
            hint: "segments of letters, digits, '.', '_' and '-', between '/', none beginning with '.'")
    }

    private static func isSegment(_ segment: Substring) -> Bool {
        guard let first = segment.utf8.first, first != UInt8(ascii: "."), segment.utf8.count <= 255 else { return false }
        return segment.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || [45, 46, 95].contains(byte)
        }
    }
}
