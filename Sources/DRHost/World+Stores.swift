internal import DRModel
internal import DRObjectStores
internal import DROutside

extension World {
    /// The store as declared: slowed down below, encrypted above. A key that cannot be read is an error before anything is done.
    static func store(
        _ declared: ObjectStoreDeclaration, io: any StoreIO, clock: any WallClock, random: any RandomSource
    ) throws -> any ObjectStore {
        let environment = AllowedOutside.hostEnvironment
        var store: any ObjectStore
        switch declared.kind {
        case .directory(let directory):
            store = DirectoryObjectStore(name: declared.name, directory: StorePath(directory), io: io, random: random)
        case .s3(let location):
            store = S3ObjectStore(
                name: declared.name, location: location,
                credentials: { try S3Credentials.find(environment: environment) { try TextFile.read($0, shown: $0) } }, clock: clock,
                random: random, authorities: environment("SSL_CERT_FILE"))
        }
        if let bandwidth = declared.bandwidth { store = ThrottledObjectStore(store, bandwidth: bandwidth, clock: clock) }
        guard !declared.keys.isEmpty else { return store }
        return try SealedObjectStore(store, keys: declared.keys.map { try key($0, of: declared.name, environment) })
    }

    private static func key(
        _ source: ObjectStoreDeclaration.KeySource, of store: StoreName, _ environment: (String) -> String?
    ) throws -> SealingKey {
        switch source {
        case .environment(let name):
            guard let text = environment(name) else {
                throw DRError(
                    .configuration, "objectStores.\(store).encryption: the environment holds no \(name)",
                    hint: "set it to 64 hex digits for the process that runs drrunbook")
            }
            return try SealingKey(text, source: "objectStores.\(store).encryption: \(name)")
        case .file(let path):
            guard let text = try TextFile.read(path, shown: path) else {
                throw DRError(.configuration, "objectStores.\(store).encryption: there is no file \(path)")
            }
            return try SealingKey(text, source: "objectStores.\(store).encryption: \(path)")
        }
    }
}
