public import DRModel
internal import DRSupport

extension Allowances {
    /// Why a call outside with this value in a field would be refused; nil where it would not, or where only the call shows it.
    public func refusal(of function: String, _ field: String, _ value: Value) -> DRError? {
        do {
            switch (function, field) {
            case ("exec", "argv"):
                guard let argv = value.list?.compactMap(\.string), argv.count == value.list?.count else { return nil }
                _ = try ProgramRule(allowances: self).program(for: argv)
            case ("http", "url"): if let url = value.string { _ = try SiteRule(allowances: self).address(url) }
            case ("notify", "to"): if let name = value.string { _ = try channel(named: name) }
            case ("secret", "name"): if let name = value.string { try check(SecretName(name)) }
            default: break
            }
            return nil
        } catch {
            return error as? DRError
        }
    }

    /// Throws `not-allowed` with the nearest entry and its place.
    func channel(named name: String) throws -> Channel {
        if let channel = channels.first(where: { $0.name == name }) { return channel }
        let names = channels.map(\.name)
        let nearest = Spelling.nearest(to: name, in: names).flatMap { near in channels.first { $0.name == near } }
        throw DRError(
            .notAllowed, "\(file) has no channel \"\(name)\" under `notify`",
            hint: nearest.map { "did you mean \"\($0.name)\" (\(place($0.location)))?" }
                ?? (names.isEmpty
                    ? "add it: notify: { \(name): { webhook: \"https://...\" } }" : "there are: \(names.joined(separator: ", "))"))
    }

    /// Throws `not-allowed` with the nearest entry and its place.
    func check(_ secret: SecretName) throws {
        guard !secrets.contains(where: { $0.name == secret }) else { return }
        let names = secrets.map(\.name.text)
        let nearest = Spelling.nearest(to: secret.text, in: names).flatMap { near in secrets.first { $0.name.text == near } }
        throw DRError(
            .notAllowed, "\(file) does not allow the secret \(secret)",
            hint: nearest.map { "did you mean \($0.name) (\(place($0.location)))?" }
                ?? (names.isEmpty ? "add it under `allow: secrets`" : "allowed: \(names.joined(separator: ", "))"))
    }
}
