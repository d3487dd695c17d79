internal import DRActions
internal import DRModel
internal import DRSupport

/// Where a Lua text says `dr.NAME`, comments and strings left out: what `lint` can know of the part of a runbook that runs only later.
struct VerbMentions {
    struct Mention: Equatable {
        let name: String
        let line: Int
    }

    private(set) var all: [Mention] = []
    private let bytes: [UInt8]
    private var index = 0
    private var line = 1

    init(_ text: String) {
        bytes = Array(text.utf8)
        while index < bytes.count { scan() }
    }

    /// An error for each name that `dr` does not have, with the nearest one.
    static func problems(in module: RunbookSources.Module, known: [String]) -> [DRError] {
        VerbMentions(module.text).all.filter { !known.contains($0.name) }.map { mention in
            DRError(
                .runbook, "there is no dr.\(mention.name)\(Spelling.hint(for: mention.name, in: known))",
                hint: "`drrunbook explain` lists the verbs of this version",
                location: SourceLocation(file: module.file, line: mention.line))
        }
    }

    private mutating func scan() {
        switch bytes[index] {
        case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"):
            index += 2
            if !skipLongBracket() { while index < bytes.count, bytes[index] != 10 { index += 1 } }
        case UInt8(ascii: "["):
            if !skipLongBracket() { index += 1 }
        case UInt8(ascii: "\""), UInt8(ascii: "'"): skipString(bytes[index])
        case let byte where Self.isName(byte): word()
        default: step()
        }
    }

    private mutating func step() {
        if bytes[index] == 10 { line += 1 }
        index += 1
    }

    private mutating func word() {
        let start = index
        let before = start > 0 ? bytes[start - 1] : 0
        while index < bytes.count, Self.isName(bytes[index]) { index += 1 }
        // `x.dr.y` and `x:dr` are somebody else's; `..dr` is a concatenation.
        let isMember = before == UInt8(ascii: ":") || (before == UInt8(ascii: ".") && !(start > 1 && bytes[start - 2] == UInt8(ascii: ".")))
        guard !isMember, bytes[start..<index].elementsEqual("dr".utf8), peek(0) == UInt8(ascii: "."), let first = peek(1),
            Self.isName(first)
        else { return }
        index += 1
        let name = index
        while index < bytes.count, Self.isName(bytes[index]) { index += 1 }
        all.append(Mention(name: String(decoding: bytes[name..<index], as: UTF8.self), line: line))
    }

    private mutating func skipString(_ quote: UInt8) {
        index += 1
        while index < bytes.count, bytes[index] != quote, bytes[index] != 10 {
            if bytes[index] == UInt8(ascii: "\\"), index + 1 < bytes.count { step() }
            step()
        }
        if index < bytes.count, bytes[index] == quote { index += 1 }
    }

    /// `[[ ... ]]`, `[==[ ... ]==]`. False, and nothing skipped, when none begins here.
    private mutating func skipLongBracket() -> Bool {
        guard peek(0) == UInt8(ascii: "[") else { return false }
        var level = 0
        while peek(1 + level) == UInt8(ascii: "=") { level += 1 }
        guard peek(1 + level) == UInt8(ascii: "[") else { return false }
        let end = [UInt8(ascii: "]")] + [UInt8](repeating: UInt8(ascii: "="), count: level) + [UInt8(ascii: "]")]
        index += level + 2
        while index < bytes.count {
            if bytes[index...].starts(with: end) {
                index += end.count
                return true
            }
            step()
        }
        return true
    }

    private func peek(_ offset: Int) -> UInt8? { index + offset < bytes.count ? bytes[index + offset] : nil }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
