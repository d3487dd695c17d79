internal import DRSupport

/// A text that is found in bytes however each of its characters is escaped there: as itself, after backslashes, as `\\u002B`, `%2B`, `&#43;`, `&#x2b;` or `&amp;`.
struct EscapedText {
    /// In bytes, as it is.
    let length: Int
    private let plain: [UInt8]
    private let characters: [Character]

    enum Match: Equatable {
        case no
        /// The bytes end before the text does.
        case begins
        /// Where it ends.
        case until(Int)
    }

    private struct Character {
        let plain: [UInt8]
        /// Each in lower case; compared without regard to case.
        let escapes: [[UInt8]]
        /// What may stand for it after a backslash: itself, `n` for a line end, `u002b`.
        let afterBackslash: [[UInt8]]
    }

    private static let named: [Unicode.Scalar: String] = ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&apos;"]
    private static let short: [Unicode.Scalar: String] = ["\n": "n", "\r": "r", "\t": "t", "\u{8}": "b", "\u{c}": "f"]

    init(_ text: String) {
        plain = Array(text.utf8)
        length = plain.count
        var scalars = Array(text.unicodeScalars)
        // A match takes all the backslashes that stand there: one or several are the same.
        for index in scalars.indices.dropFirst().reversed() where scalars[index] == "\\" && scalars[index - 1] == "\\" {
            scalars.remove(at: index)
        }
        characters = scalars.map { scalar in
            let plain = Array(String(scalar).utf8)
            let percent = plain.map { "%" + Digest.hex([$0]) }.joined()
            // The longer ones first: one may begin with another.
            var escapes = [percent.replacing("%", with: "%25"), percent, "&#\(scalar.value);", "&#x\(String(scalar.value, radix: 16));"]
            if let named = Self.named[scalar] { escapes.append(named) }
            let units = String(scalar).utf16.map { "u" + Digest.hex([UInt8($0 >> 8), UInt8($0 & 255)]) }
            let short = Self.short[scalar].map { [Array($0.utf8)] } ?? []
            return Character(
                plain: plain, escapes: escapes.map { Array($0.utf8) },
                afterBackslash: [plain, Array(units.joined(separator: "\\").utf8)] + short)
        }
    }

    /// The bytes with which a match can begin.
    var firsts: Set<UInt8> {
        guard let first = characters.first else { return [] }
        return [first.plain[0], UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "\\")]
    }

    func match(_ bytes: [UInt8], at start: Int) -> Match {
        // As it is, first: it may hold what looks like an escape itself.
        if bytes[start...].starts(with: plain) { return .until(start + plain.count) }
        let escaped = matchEscaped(bytes, at: start)
        return escaped == .no && plain.starts(with: bytes[start...]) ? .begins : escaped
    }

    private func matchEscaped(_ bytes: [UInt8], at start: Int) -> Match {
        var index = start
        for character in characters {
            guard index < bytes.count else { return .begins }
            switch Self.match(character, bytes, at: index) {
            case .until(let end):
                index = end
                // Several backslashes in a row are one character here.
                while character.plain == [UInt8(ascii: "\\")], index < bytes.count,
                    case .until(let more) = Self.match(character, bytes, at: index)
                {
                    index = more
                }
            case let other: return other
            }
        }
        return index > start ? .until(index) : .no
    }

    // Escapes first: a backslash that stands for itself may begin one.
    private static func match(_ character: Character, _ bytes: [UInt8], at start: Int) -> Match {
        var begins = false
        func seek(_ form: [UInt8], at index: Int) -> Match {
            var offset = 0
            while offset < form.count {
                guard index + offset < bytes.count else { return .begins }
                guard lower(bytes[index + offset]) == lower(form[offset]) else { return .no }
                offset += 1
            }
            return .until(index + form.count)
        }
        func seekExactly(_ form: [UInt8], at index: Int) -> Match {
            let there = bytes[index..<min(bytes.count, index + form.count)]
            return there.elementsEqual(form) ? .until(index + form.count) : form.starts(with: there) ? .begins : .no
        }
        for escape in character.escapes {
            switch seek(escape, at: start) {
            case .until(let end): return .until(end)
            case .begins: begins = true
            case .no: continue
            }
        }
        let backslash = UInt8(ascii: "\\")
        if bytes[start] == backslash {
            // JSON within JSON escapes the backslash as well. Of a backslash itself the last one is the character.
            let end = bytes[start...].firstIndex { $0 != backslash } ?? bytes.count
            if end == bytes.count { begins = true }
            for form in character.afterBackslash where form.first != backslash {
                let found = form == character.plain ? seekExactly(form, at: end) : seek(form, at: end)
                switch found {
                case .until(let end): return .until(end)
                case .begins: begins = true
                case .no: continue
                }
            }
            if character.plain == [backslash] { return .until(end) }
        }
        switch seekExactly(character.plain, at: start) {
        case .until(let end): return .until(end)
        case .begins: return .begins
        case .no: return begins ? .begins : .no
        }
    }

    private static func lower(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 32 : byte }
}
