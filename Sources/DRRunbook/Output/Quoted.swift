/// Texts of people and runbooks among lines of ours, by which other people decide: none of them can be taken for such a line.
extension String {
    /// Below a line of ours, each of its lines marked.
    func quoted(_ indent: String) -> [String] {
        split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { "\(indent)| \($0)" }
    }

    /// Beginning in a line of ours, what follows marked.
    func quotedFromSecond(_ indent: String) -> [String] {
        let first = prefix { !$0.isNewline }
        return [String(first)] + (first.endIndex == endIndex ? [] : String(self[index(after: first.endIndex)...]).quoted(indent))
    }
}
