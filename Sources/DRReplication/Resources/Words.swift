/// Words searched for in manifests by their bytes: `String.contains` compares characters and takes a hundred times as long, and each object is asked often.
struct Words: Sendable {
    private let words: [[UInt8]]

    init(_ words: [String]) { self.words = words.map { Array($0.utf8) }.filter { !$0.isEmpty } }

    /// Does one of them stand in the text?
    func occur(in text: String) -> Bool {
        let found = unsafe text.utf8.withContiguousStorageIfAvailable { bytes in
            let span = unsafe bytes.span
            return words.contains { Self.occurs($0, in: span) }
        }
        if let found { return found }
        let bytes = Array(text.utf8)
        return words.contains { Self.occurs($0, in: bytes.span) }
    }

    private static func occurs(_ word: [UInt8], in bytes: Span<UInt8>) -> Bool {
        guard bytes.count >= word.count else { return false }
        let first = word[0]
        for start in 0...(bytes.count - word.count) where bytes[start] == first {
            var length = 1
            while length < word.count, bytes[start + length] == word[length] { length += 1 }
            if length == word.count { return true }
        }
        return false
    }
}
