internal import DRManifest
internal import DRModel

/// With what this host signs the ends of runs' records, and whose signatures count.
public struct HeadKeys: Sendable, Hashable {
    public struct Signer: Sendable, Hashable {
        public let name: String
        /// An ssh public key without its comment.
        public let key: String
    }

    /// A private key's file, or a public one whose private key an agent holds. Nil: this host signs nothing.
    public var keyFile: String?
    /// In the order of dr.yaml.
    public var signers: [Signer] = []
}

extension ConfigurationReader {
    mutating func readSigning(_ node: YAMLNode) {
        let member = Member(name: "signing", path: "signing", location: node.location, node: node)
        guard !node.isNull, map(member, ["keyFile", "hosts"]) else { return }
        var keys = HeadKeys()
        if let file = optional(member, "keyFile", { node, path throws(DRError) in try node.string(path) }) {
            keys.keyFile = PathText.absolute(file, in: result.folder)
        }
        let hosts = required(member, "hosts", "the hosts whose signatures count, each with its sshKey")
        for entry in hosts.flatMap({ hosts in attempt { () throws(DRError) in try hosts.map("signing.hosts") } }) ?? [] {
            let host = Member(name: entry.key, path: "signing.hosts.\(entry.key)", location: entry.keyLocation, node: entry.value)
            guard map(host, ["sshKey"]), let found = required(host, "sshKey", "an ssh public key"),
                let written = text(found, "\(host.path).sshKey")
            else { continue }
            guard let key = SSHSignature.publicKey(written) else {
                refuse("\(host.path).sshKey: expected an ssh public key such as \"ssh-ed25519 AAAA...\"", at: found)
                continue
            }
            if let other = keys.signers.first(where: { $0.key == key }) {
                refuse("\(host.path).sshKey: it is the key of \(other.name), too", at: found)
            }
            keys.signers.append(HeadKeys.Signer(name: entry.key, key: key))
        }
        if hosts?.entries?.isEmpty == true, let hosts { refuse("signing.hosts: expected at least one host", at: hosts) }
        result.signing = keys
    }
}
