/// Reads the tokens of a Lua 5.4 text, and its comments for those that speak to the linter.
struct LuaLexer {
    struct Comment: Equatable {
        let line: Int
        /// No code stands before it on its line.
        let isAlone: Bool
        let text: String
    }

    private(set) var comments: [Comment] = []
    private let bytes: [UInt8]
    private var index = 0
    private var line = 1
    // Of the token before.
    private var codeLine = 0

    // By their first byte, the longest first.
    private static let symbols = Dictionary(
        grouping: [
            "...", "..", "==", "~=", "<=", ">=", "<<", ">>", "//", "::", "+", "-", "*", "/", "%", "^", "#", "&", "~", "|", "<", ">", "=",
            "(", ")",
            "{", "}", "[", "]", ";", ":", ",", ".",
        ].map { Array($0.utf8) }, by: { $0[0] })

    init(_ text: String) {
        bytes = Array(text.utf8)
        // A first line that begins with # is the shell's.
        if bytes.first == UInt8(ascii: "#") { while index < bytes.count, bytes[index] != newline { index += 1 } }
    }

    static func tokens(of text: String) throws(LuaSyntaxError) -> (tokens: [LuaToken], comments: [Comment]) {
        var lexer = LuaLexer(text)
        var tokens: [LuaToken] = []
        repeat {
            tokens.append(try lexer.next())
            lexer.codeLine = lexer.line
        } while tokens.last?.kind != .end
        return (tokens, lexer.comments)
    }

    private mutating func next() throws(LuaSyntaxError) -> LuaToken {
        try skipBlanks()
        let start = line
        guard let first = peek(0) else { return LuaToken(kind: .end, line: line) }
        if isLetter(first) { return LuaToken(kind: word(), line: start) }
        if isDigit(first) || (first == UInt8(ascii: ".") && peek(1).map(isDigit) == true) { return LuaToken(kind: number(), line: start) }
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") { return LuaToken(kind: .string(try quoted(first)), line: start) }
        if first == UInt8(ascii: "["), let text = try bracketed() { return LuaToken(kind: .string(String(validating: text)), line: start) }
        for symbol in Self.symbols[first] ?? [] where bytes[index...].starts(with: symbol) {
            index += symbol.count
            return LuaToken(kind: .symbol(String(decoding: symbol, as: UTF8.self)), line: start)
        }
        throw LuaSyntaxError(line: line, message: "an unexpected character")
    }

    private mutating func skipBlanks() throws(LuaSyntaxError) {
        while let byte = peek(0) {
            if byte == UInt8(ascii: "-"), peek(1) == UInt8(ascii: "-") {
                try comment()
            } else if byte == newline {
                line += 1
                index += 1
            } else if byte == UInt8(ascii: " ") || (9...13).contains(byte) {
                index += 1
            } else {
                return
            }
        }
    }

    private mutating func comment() throws(LuaSyntaxError) {
        let start = line
        index += 2
        if peek(0) == UInt8(ascii: "["), let text = try bracketed() {
            comments.append(Comment(line: start, isAlone: start != codeLine, text: String(decoding: text, as: UTF8.self)))
            return
        }
        let begin = index
        while let byte = peek(0), byte != newline { index += 1 }
        comments.append(Comment(line: start, isAlone: start != codeLine, text: String(decoding: bytes[begin..<index], as: UTF8.self)))
    }

    private mutating func word() -> LuaToken.Kind {
        let start = index
        while let byte = peek(0), isLetter(byte) || isDigit(byte) { index += 1 }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        return LuaToken.Keyword(rawValue: text).map { .keyword($0) } ?? .name(text)
    }

    private mutating func number() -> LuaToken.Kind {
        let start = index
        let isHexadecimal = peek(0) == UInt8(ascii: "0") && (peek(1) == UInt8(ascii: "x") || peek(1) == UInt8(ascii: "X"))
        let exponents: [UInt8] = isHexadecimal ? [UInt8(ascii: "p"), UInt8(ascii: "P")] : [UInt8(ascii: "e"), UInt8(ascii: "E")]
        while let byte = peek(0) {
            let isSign = (byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")) && index > start && exponents.contains(bytes[index - 1])
            guard isSign || isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: ".") else { break }
            index += 1
        }
        return .number(String(decoding: bytes[start..<index], as: UTF8.self))
    }

    // MARK: Strings

    private mutating func quoted(_ quote: UInt8) throws(LuaSyntaxError) -> String? {
        var text: [UInt8] = []
        index += 1
        while let byte = peek(0), byte != quote {
            guard byte != newline else { throw LuaSyntaxError(line: line, message: "a string that does not end") }
            index += 1
            if byte == UInt8(ascii: "\\") { try escape(into: &text) } else { text.append(byte) }
        }
        guard peek(0) == quote else { throw LuaSyntaxError(line: line, message: "a string that does not end") }
        index += 1
        return String(validating: text)
    }

    private mutating func escape(into text: inout [UInt8]) throws(LuaSyntaxError) {
        guard let byte = peek(0) else { throw LuaSyntaxError(line: line, message: "a string that does not end") }
        index += 1
        switch byte {
        case UInt8(ascii: "a"): text.append(7)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "v"): text.append(11)
        case newline:
            line += 1
            text.append(newline)
        case UInt8(ascii: "z"):
            while let blank = peek(0), blank == UInt8(ascii: " ") || (9...13).contains(blank) {
                if blank == newline { line += 1 }
                index += 1
            }
        case UInt8(ascii: "x"):
            text.append(UInt8(truncatingIfNeeded: digits(2, radix: 16)))
        case UInt8(ascii: "u"):
            index += 1
            if let scalar = Unicode.Scalar(UInt32(truncatingIfNeeded: digits(8, radix: 16))) { text += Array(String(scalar).utf8) }
            if peek(0) == UInt8(ascii: "}") { index += 1 }
        case let digit where isDigit(digit):
            index -= 1
            text.append(UInt8(truncatingIfNeeded: digits(3, radix: 10)))
        default: text.append(byte)
        }
    }

    private mutating func digits(_ most: Int, radix: Int) -> Int {
        var value = 0
        for _ in 0..<most {
            guard let byte = peek(0), let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digit < radix else { break }
            value = value &* radix &+ digit
            index += 1
        }
        return value
    }

    // `[[ ... ]]`, `[==[ ... ]==]`. Nil, and nothing read, when none begins here.
    private mutating func bracketed() throws(LuaSyntaxError) -> [UInt8]? {
        var level = 0
        while peek(1 + level) == UInt8(ascii: "=") { level += 1 }
        guard peek(1 + level) == UInt8(ascii: "[") else { return nil }
        let end = [UInt8(ascii: "]")] + [UInt8](repeating: UInt8(ascii: "="), count: level) + [UInt8(ascii: "]")]
        let begun = line
        index += level + 2
        if peek(0) == newline {
            line += 1
            index += 1
        }
        let start = index
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "]"), bytes[index...].starts(with: end) {
                index += end.count
                return Array(bytes[start..<(index - end.count)])
            }
            if bytes[index] == newline { line += 1 }
            index += 1
        }
        throw LuaSyntaxError(line: begun, message: "brackets that do not end")
    }

    // MARK: Bytes

    private let newline = UInt8(ascii: "\n")
    private func peek(_ offset: Int) -> UInt8? { index + offset < bytes.count ? bytes[index + offset] : nil }
    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    private func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            || byte == UInt8(ascii: "_")
    }
}

extension String {
    fileprivate init?(validating bytes: [UInt8]) { self.init(validating: bytes, as: UTF8.self) }
}
