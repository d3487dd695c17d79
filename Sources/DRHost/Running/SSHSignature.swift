internal import DRModel
internal import DROutside
internal import DRReplication

/// Signatures as `ssh-keygen -Y` makes and verifies them: people sign with the key they have anyway, here or elsewhere.
struct SSHSignature {
    /// Keys and signatures are handed to ssh-keygen as files, in a folder of their own that goes afterwards.
    let folder: String
    let random: any RandomSource

    private static let program = "/usr/bin/ssh-keygen"

    /// A public key without its comment; nil when it is none.
    static func publicKey(_ text: String) -> String? {
        let words = text.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
        guard words.count >= 2, !text.contains(where: \.isNewline), ["ssh-", "ecdsa-", "sk-"].contains(where: { words[0].hasPrefix($0) }),
            words[1].hasPrefix("AAAA"), words[1].utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") })
        else { return nil }
        return "\(words[0]) \(words[1])"
    }

    /// The fingerprint of the key, `SHA256:...`, when `signature` is of `text` and made with `key`; nil when it is not.
    func verify(_ text: String, signature: String, key: String, namespace: String) throws -> String? {
        try withFiles(["signers": "signer namespaces=\"\(namespace)\" \(key)\n", "signature": signature]) { folder in
            let ending = try run(
                ["-Y", "verify", "-f", "\(folder)/signers", "-I", "signer", "-n", namespace, "-s", "\(folder)/signature"], input: text)
            guard ending.code == 0 else { return nil }
            let words = String(decoding: ending.output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            guard let fingerprint = words.last(where: { $0.hasPrefix("SHA256:") }) else {
                throw DRError(.internal, "ssh-keygen verified a signature and named no key")
            }
            return String(fingerprint)
        }
    }

    /// Signs with a private key's file; ssh-keygen asks an agent where the file is a public key.
    func sign(_ text: String, keyFile: String, namespace: String) throws -> String {
        try withFiles(["text": text]) { folder in
            let ending = try run(["-q", "-Y", "sign", "-f", keyFile, "-n", namespace, "\(folder)/text"], input: "")
            guard ending.code == 0, let signature = try TextFile.read("\(folder)/text.sig", shown: "the signature") else {
                let said = String(decoding: ending.errors, as: UTF8.self).split(whereSeparator: \.isNewline).last ?? ""
                throw DRError(
                    .notAllowed, "\(keyFile) cannot sign: \(said)",
                    hint: "name the private key, or a public key whose private one an agent holds")
            }
            return signature
        }
    }

    private func run(_ arguments: [String], input: String) throws -> ProgramRun.Ending {
        var environment = ["LANG": "C", "PATH": "/usr/bin:/bin"]
        if let agent = AllowedOutside.hostEnvironment("SSH_AUTH_SOCK") { environment["SSH_AUTH_SOCK"] = agent }
        do {
            return try ProgramRun(
                path: Self.program, argv: ["ssh-keygen"] + arguments, environment: environment, input: Array(input.utf8), folder: "/",
                timeout: .seconds(30)
            ).run(cancel: -1)
        } catch let error as DRError {
            throw DRError(error.code, error.message, hint: "signatures are made and verified by \(Self.program) of OpenSSH")
        }
    }

    private func withFiles<Result>(_ files: [String: String], _ body: (String) throws -> Result) throws -> Result {
        let own = "\(folder)/signature-\(random.identifier())"
        try NewFile.makeFolders(own, shown: own, isPrivate: true)
        do {
            for (name, text) in files { try NewFile.write(text, to: "\(own)/\(name)", shown: name) }
            let result = try body(own)
            try remove(own)
            return result
        } catch {
            try remove(own)
            throw error
        }
    }

    private func remove(_ folder: String) throws {
        let io = SystemStoreIO()
        do {
            for name in try io.list(StorePath(folder)) {
                try io.removeFile(StorePath("\(folder)/\(String(decoding: name, as: UTF8.self))"))
            }
            try io.removeFolder(StorePath(folder))
        } catch let failure as IOFailure {
            throw DRError(.io, "\(folder) cannot be removed: \(failure)")
        }
    }
}
