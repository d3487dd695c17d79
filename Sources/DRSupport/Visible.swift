extension String {
    /// Within a line: whatever ends a line, in whichever way (`\r\n` is one character), is written ` / `.
    package var inOneLine: String { contains(where: \.isNewline) ? split(whereSeparator: \.isNewline).joined(separator: " / ") : self }

    /// With every character that a terminal, a viewer or an XML reader would obey instead of show written out as `\u{1B}`; line feeds and tabs stay.
    ///
    /// What people and runbooks write is shown to other people, who decide by it: no text may move a cursor, turn a line around or end a document.
    package var visible: String {
        guard unicodeScalars.contains(where: \.isObeyed) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if scalar.isObeyed {
                text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension Unicode.Scalar {
    fileprivate var isObeyed: Bool {
        switch value {
        case 0x09, 0x0A: false
        // Controls; marks that turn the direction of text; separators that some take for the end of a line; what no XML may hold.
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }
}
