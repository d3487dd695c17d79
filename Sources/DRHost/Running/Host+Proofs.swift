internal import DRActions
internal import DRModel
internal import DRSupport

extension Host {
    /// The person, where dr.yaml names no people or this one. Throws `not-allowed`.
    func known(_ person: String) throws -> String {
        let rules = configuration.approvals
        guard person.visible == person, !person.contains(where: \.isNewline), person.contains(where: { !$0.isWhitespace }) else {
            throw DRError(
                .invalidInput, "--as: expected a name in one line, got \(Value.string(person).json())", hint: "nothing was recorded")
        }
        guard rules.people.isEmpty || rules.person(person) != nil else {
            throw DRError(
                .notAllowed,
                "\(person) is none of the people of \(configuration.file)\(Spelling.hint(for: person, in: rules.people.map(\.name)))",
                hint: "--as says who you are: \(rules.people.map(\.name).sorted().joined(separator: ", ")); nothing was recorded")
        }
        return person
    }

    /// The one place where a name becomes a person: the signature of what they say and the fingerprint of its key. Nil where nothing is signed, because dr.yaml has no
    /// keys. Throws `not-allowed`, `invalid-input`.
    func proven(
        _ text: String, by person: String, _ proof: GateAnswer.Proof, namespace: String
    ) throws -> (key: String, signature: String)? {
        let rules = configuration.approvals
        let tool = SSHSignature(folder: configuration.state, random: world.random)
        let signature: String
        switch proof {
        case .none:
            guard !rules.demandsSignatures else {
                throw DRError(
                    .notAllowed, "\(configuration.file) has keys, so what \(person) says must be signed",
                    hint: "--key FILE signs here; --statement prints what to sign elsewhere, --signature FILE brings it")
            }
            return nil
        case .key(let file):
            signature = try tool.sign(text, keyFile: PathText.absolute(file, in: PathText.workingFolder), namespace: namespace)
        case .signature(let file):
            guard let brought = try TextFile.read(PathText.absolute(file, in: PathText.workingFolder), shown: file) else {
                throw DRError(
                    .invalidInput, "there is no signature \(file)\(NearbyFile.hint(forGiven: file))",
                    hint: "`--statement` prints what `ssh-keygen -Y sign -n \(namespace)` signs; nothing was recorded")
            }
            signature = brought
        }
        guard let key = rules.person(person)?.key else {
            throw DRError(
                .notAllowed, "\(configuration.file) has no key of \(person)",
                hint: "set approvals.people.\(person).sshKey")
        }
        guard let fingerprint = try tool.verify(text, signature: signature, key: key, namespace: namespace) else {
            throw DRError(
                .notAllowed, "the signature is not \(person)'s of this statement",
                hint: "--statement prints what is to be signed: comment and reason are part of it")
        }
        return (fingerprint, signature)
    }
}
