internal import DRModel
internal import DRSupport

/// Reads what the points of an own copy need, here and in a store, and replaces what is damaged on one side by what is sound on the other. What is sound on
/// neither is named, and the next is looked at.
struct Scrub {
    let copy: OwnCopy
    let store: any ObjectStore
    let clock: any WallClock
    /// Objects up to this name were looked at before.
    let after: String?
    /// No further object is begun once as many bytes were read.
    let most: ByteCount

    private var names: ObjectNames { copy.names }

    init(copy: OwnCopy, store: any ObjectStore, clock: any WallClock, after: String? = nil, most: ByteCount = ByteCount(Int64.max)) {
        self.copy = copy
        self.store = store
        self.clock = clock
        self.after = after
        self.most = most
    }

    func run() async throws -> Scrubbed {
        let lock = try copy.lock()
        defer { lock.release() }
        try copy.removeLeftovers()
        var work = Work(
            copy: copy, store: store, clock: clock, verified: try Verified(copy),
            recordsThere: Set(try await store.list(prefix: names.points).map(\.name)),
            doubts: Set(try await store.list(prefix: names.doubts).compactMap { names.parseDoubt($0.name) }))
        let needed = try await needed(&work)
        try await work.requireReadable(needed.sorted())
        for name in needed.sorted() where after.map({ $0 < name }) ?? true {
            try Task.checkCancellation()
            try await work.check(name)
            if work.scrubbed.bytes >= most.bytes, name != needed.max() {
                work.scrubbed.next = name
                break
            }
        }
        try copy.settle()
        try work.verified.write()
        return work.scrubbed
    }

    /// Of all points here. Records and indexes are healed at once where they can be: without them nobody knows what is needed.
    private func needed(_ work: inout Work) async throws -> Set<String> {
        let folder = copy.path(String(names.points.dropLast()))
        guard try copy.io.facts(folder)?.kind == .folder else { return [] }
        var needed: Set<String> = []
        for point in try copy.io.list(folder) {
            guard let id = try? PointID(String(decoding: point, as: UTF8.self)) else { continue }
            for file in try copy.io.list(folder / point) {
                let name = names.points(id) + String(decoding: file, as: UTF8.self)
                guard names.parseRecord(name) != nil else { continue }
                needed.insert(name)
                guard let object = try await work.sound(name), let record = try? PointRecord(parsing: object) else { continue }
                var its: [String] = []
                for hash in record.indexes {
                    its.append(names.map(hash))
                    guard let object = try await work.sound(names.map(hash)), let index = try? PageIndex(parsing: object, name: hash)
                    else { continue }
                    its += index.packs.map(names.pack)
                }
                needed.formUnion(its)
                if work.recordsThere.contains(name) { work.neededThere.formUnion(its) }
            }
        }
        return needed
    }

    private struct Work {
        let copy: OwnCopy
        let store: any ObjectStore
        let clock: any WallClock
        var verified: Verified
        let recordsThere: Set<String>
        /// What a receiver found damaged there.
        let doubts: Set<String>
        /// By points that the store shows: it must have them.
        var neededThere: Set<String> = []
        var scrubbed = Scrubbed()
        private var checked: Set<String> = []

        private enum Found {
            case sound([UInt8])
            case damaged
            case missing
            /// Perhaps sound: nobody here has its key.
            case locked
            /// Where it stands.
            case newer(String)

            var bytes: [UInt8]? { if case .sound(let bytes) = self { bytes } else { nil } }
        }

        init(
            copy: OwnCopy, store: any ObjectStore, clock: any WallClock, verified: Verified, recordsThere: Set<String>, doubts: Set<String>
        ) {
            self.copy = copy
            self.store = store
            self.clock = clock
            self.verified = verified
            self.recordsThere = recordsThere
            self.doubts = doubts
        }

        /// Its bytes here, healed if need be; nil when that cannot be.
        mutating func sound(_ name: String) async throws -> [UInt8]? {
            if let bytes = try here(name).bytes { return bytes }
            try await check(name)
            return try here(name).bytes
        }

        /// A store of which nothing can be opened is not damaged: the key is the wrong one, and healing would lock out everybody else.
        func requireReadable(_ names: [String]) async throws {
            var first: (any Error)?
            for name in names.prefix(8) {
                do {
                    _ = try await store.get(name)
                    return
                } catch let error as DRError where [.damaged, .keyMissing].contains(error.code) {
                    first = first ?? error
                } catch let error as DRError where error.code == .notFound { continue }
            }
            guard let first else { return }
            // After a rotation whose old key is gone the first ones may be old by chance.
            for name in names.dropFirst(8) where (first as? DRError)?.code == .keyMissing {
                switch try await seal(of: name) {
                case .current?, .earlier?: return
                case .missing?, nil: continue
                }
            }
            throw first
        }

        mutating func check(_ name: String) async throws {
            guard checked.insert(name).inserted else { return }
            scrubbed.objects += 1
            var here = try here(name)
            let there = try await there(name)
            // Nobody knows what it needs, and neither side's is worth less than the other's.
            for case .newer(let place) in [here, there] { throw damaged(name, in: place, .newer) }
            scrubbed.bytes += Int64(here.bytes?.count ?? 0) + Int64(there.bytes?.count ?? 0)
            switch (here, there) {
            case (.sound(let bytes), .sound): if case .earlier? = try await seal(of: name) { try await reseal(name, bytes) }
            // The key is gone, or was never here; what it sealed is here without it.
            case (.sound(let bytes), .locked): try await reseal(name, bytes)
            case (_, .locked): scrubbed.locked.append(name)
            case (.damaged, .sound(let bytes)), (.missing, .sound(let bytes)):
                failpoint("scrub.here")
                try copy.write(name, bytes)
                here = try self.here(name)
                if here.bytes == nil { scrubbed.lost.append(name) } else { scrubbed.healed.append("the own copy's \(name)") }
            case (.sound(let bytes), .damaged): try await heal(name, bytes, instead: true)
            case (.sound(let bytes), .missing):
                // What was swept there is not brought back.
                if neededThere.contains(name) { try await heal(name, bytes, instead: false) }
            case (_, _): scrubbed.lost.append(name)
            }
            if doubts.contains(name), case .sound = try await self.there(name) { try await store.delete(copy.names.doubt(name)) }
            guard let pack = copy.names.parsePack(name) else { return }
            if here.bytes == nil { verified.drop(pack) } else { verified.note(pack, clock.now()) }
        }

        /// Nil of what a sweep took meanwhile, too.
        private func seal(of name: String) async throws -> ObjectSeal? {
            do { return try await store.seal(of: name) } catch let error as DRError where error.code == .notFound { return nil }
        }

        private mutating func reseal(_ name: String, _ bytes: [UInt8]) async throws {
            if try await put(name, bytes, instead: true) { scrubbed.resealed.append("store \(store.name)'s \(name)") }
        }

        /// False, and noted, when the store does not take it, or when what somebody else put there meanwhile is not what the name says.
        ///
        /// What is damaged there would stand in the way of its own kind for ever: `instead` removes it first. A crash on the way leaves it missing, which is
        /// healed as well.
        private mutating func put(_ name: String, _ bytes: [UInt8], instead: Bool) async throws -> Bool {
            failpoint("scrub.there")
            do {
                if instead { try await store.delete(name) }
                if try await store.put(name, bytes) { return true }
                if case .sound = try await there(name) { return true }
                scrubbed.unhealed.append("store \(store.name)'s \(name): somebody else put it there meanwhile, and it is not sound")
            } catch let error as DRError where [.io, .noSpace].contains(error.code) {
                scrubbed.unhealed.append("store \(store.name)'s \(name): \(error.message)")
            }
            return false
        }

        private mutating func heal(_ name: String, _ bytes: [UInt8], instead: Bool) async throws {
            if try await put(name, bytes, instead: instead) { scrubbed.healed.append("store \(store.name)'s \(name)") }
        }

        private func here(_ name: String) throws -> Found {
            do { return found(name, try copy.read(name), "the own copy") } catch let error as DamagedCopy {
                return error.what == DamagedCopy.missing ? .missing : .damaged
            } catch let error as IOFailure where error.isDamage { return .damaged }
        }

        private func there(_ name: String) async throws -> Found {
            do { return found(name, try await store.get(name), "store \(store.name)") } catch let error as DRError
                where error.code == .notFound
            {
                return .missing
            } catch let error as DRError where error.code == .damaged {
                return error.details?["newer"].bool == true ? .newer("store \(store.name)") : .damaged
            } catch let error as DRError where error.code == .keyMissing { return .locked }
        }

        private func found(_ name: String, _ object: [UInt8], _ place: String) -> Found {
            do throws(Malformed) {
                try ObjectCheck.check(name, object)
                return .sound(object)
            } catch { return error.isNewer ? .newer(place) : .damaged }
        }
    }
}

/// What an object's name says of its bytes.
enum ObjectCheck {
    /// Throws when the bytes are not what the name says.
    static func check(_ name: String, _ object: [UInt8]) throws(Malformed) {
        let parts = name.split(separator: "/")
        guard parts.count >= 3, let last = parts.last else { throw Malformed("it has no known kind") }
        switch parts[1] {
        case "packs":
            let pack = try Pack(parsing: object)
            guard pack.id.description == last else { throw Malformed("it is another pack") }
            try pack.check(object)
        case "points":
            guard try PointRecord(parsing: object).draft.id.text == parts[2] else { throw Malformed("it is the record of another point") }
        default:
            guard let hash = ContentHash(hex: String(last)) else { throw Malformed("it has no known kind") }
            _ = try PageIndex(parsing: object, name: hash)
        }
    }
}
