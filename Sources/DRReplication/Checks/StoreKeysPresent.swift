internal import DRModel

struct StoreKeysPresent: Check {
    static let id = "store-keys-present"
    static let summary = "What the newest recovery points need in the store is sealed with keys that are here."

    /// Of more objects nobody would wait for the answer.
    private static let most = 2000
    private static let sideBySide = 16
    /// The same whether something is sealed or not: a plan does not know the objects of a point that it would make.
    private static let complete = "no key is missing"

    func run(in context: CheckContext) async throws -> CheckResult {
        guard let store = context.store else { return skipped("there is no object store \"\(context.storeName)\"") }
        guard context.source != nil else { return skipped("after a disaster the destination's own copy is enough") }
        var missing: [String: Int] = [:]
        var earlier: Set<String> = []
        var names: Set<String> = []
        for application in context.applications {
            guard let point = try await context.newestPoint(application).whole?.point else { continue }
            // What is damaged is told by the checks of points.
            do { names.formUnion(try await context.destination.volumes.objects(of: point)) } catch let error as DRError
                where error.code == .damaged
            { continue }
        }
        let asked = names.sorted().prefix(Self.most)
        for start in stride(from: 0, to: asked.count, by: Self.sideBySide) {
            let some = asked.dropFirst(start).prefix(Self.sideBySide)
            let seals = try await withThrowingTaskGroup(of: ObjectSeal?.self) { group in
                for name in some { group.addTask { try await Self.seal(of: name, in: store) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            for seal in seals {
                switch seal {
                case .missing(let key): missing[key, default: 0] += 1
                case .earlier(let key): earlier.insert(key)
                case .current, nil: break
                }
            }
        }
        guard missing.isEmpty else {
            let told = missing.sorted { $0.key < $1.key }.map { "key \($0.key) is not here, and \($0.value) objects are sealed with it" }
            return warning(
                "\(store.name): \(told.listed)",
                fix: "put the key back under objectStores.\(store.name).encryption; or let a scrub seal anew what the own copy holds",
                next: "scrub")
        }
        let rest = names.count > asked.count ? "; of \(names.count) objects the first \(asked.count) were looked at" : ""
        guard earlier.isEmpty else {
            return ok(
                "all keys are here; keep \(earlier.sorted().listed) until `drrunbook scrub` has sealed anew what it sealed\(rest)")
        }
        return ok(Self.complete + rest)
    }

    /// Nil of what is not there: it may never have been, and other checks tell what is missing.
    private static func seal(of name: String, in store: any ObjectStore) async throws -> ObjectSeal? {
        do { return try await store.seal(of: name) } catch let error as DRError where error.code == .notFound { return nil }
    }
}
