internal import DRModel
internal import DROutside
internal import DRReplication
internal import DRSupport

extension Host {
    /// What dr.yaml allows; in a plan nothing of it is reached.
    func outside(predicts: Bool) -> any Outside {
        let state = configuration.state, random = world.random
        let told = ToldFiles(folder: state + "/told")
        return AllowedOutside(
            allowances: configuration.allow, predicts: predicts, folder: configuration.folder,
            fingerprintKey: { try FingerprintKey.read(in: state, random: random) }, memory: predicts ? ToldInPlan(before: told) : told,
            authorities: AllowedOutside.hostEnvironment("SSL_CERT_FILE"))
    }
}

/// What channels were told last: a file each in the state folder.
struct ToldFiles: NotificationMemory {
    let folder: String

    func last(_ channel: String) -> String? {
        (try? TextFile.read(path(channel), shown: channel)).flatMap { $0.split(whereSeparator: \.isNewline).first.map(String.init) }
    }

    func remember(_ digest: String, _ channel: String) throws {
        try StateFile.replace(path(channel), with: digest + "\n")
    }

    // Channel names are the configuration's: any text. The digest of one is a file name.
    private func path(_ channel: String) -> String { "\(folder)/\(Digest.hex(of: channel).prefix(32))" }
}

/// What channels would be told by a plan, over what they were told before.
final class ToldInPlan: NotificationMemory {
    private let before: ToldFiles
    private let planned = Lock<[String: String]>([:])

    init(before: ToldFiles) { self.before = before }

    func last(_ channel: String) -> String? { planned.withLock { $0[channel] } ?? before.last(channel) }
    func remember(_ digest: String, _ channel: String) throws { plan(digest, channel) }
    func plan(_ digest: String, _ channel: String) { planned.withLock { $0[channel] = digest } }
}

/// The key with which this host marks secrets in its records: made when it is first needed, readable by its user alone, never in a record.
enum FingerprintKey {
    static func read(in folder: String, random: any RandomSource) throws -> [UInt8] {
        let path = folder + "/fingerprint.key"
        let io = SystemStoreIO()
        for _ in 0..<2 {
            if let text = try TextFile.read(path, shown: path)?.split(whereSeparator: \.isNewline).first, text.count == 64 {
                return Array(text.utf8)
            }
            let key = random.identifier() + random.identifier()
            do {
                let file = try io.open(StorePath(path), .create, permissions: 0o600)
                defer { try? file.close() }
                var bytes = Array((key + "\n").utf8)
                try unsafe bytes.withUnsafeMutableBytes { try unsafe file.write(at: 0, UnsafeRawBufferPointer($0)) }
                try file.sync()
                try io.syncFolder(StorePath(folder))
                return Array(key.utf8)
            } catch let failure as IOFailure where failure.code == 17 {
                continue
            } catch let failure as IOFailure {
                throw DRError(.io, "the key for marking secrets cannot be written: \(failure)")
            }
        }
        throw DRError(.io, "\(path) is not a key: expected 64 hex digits", hint: "remove it; a new one is made")
    }
}
