/// What a text of Lua requires by name.
public enum LuaRequires {
    /// The texts that stand after `require`, in their order. None where the text is no Lua: whoever loads it says so.
    public static func names(in text: String) -> [String] {
        guard let tokens = try? LuaLexer.tokens(of: text).tokens.map(\.kind) else { return [] }
        return tokens.indices.compactMap { index in
            guard tokens[index] == .name("require"), index + 2 < tokens.count else { return nil }
            switch (tokens[index + 1], tokens[index + 2]) {
            case (.string(let name), _), (.symbol("("), .string(let name)): return name
            default: return nil
            }
        }
    }
}
