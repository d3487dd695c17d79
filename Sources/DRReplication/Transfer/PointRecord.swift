internal import DRModel

/// What makes a point a point: the last object that is written. It names, directly or through others, the hash of every byte of the point.
struct PointRecord {
    struct Volume: Equatable {
        let volume: PointVolume
        let index: ContentHash
    }

    struct Manifests: Equatable {
        let content: ContentToken
        let index: ContentHash
    }

    let draft: PointDraft
    let application: ApplicationName
    let session: Session
    let instant: Instant
    let consistency: Consistency
    let volumes: [Volume]
    let manifests: Manifests
    /// The hash of the record whose chunks this one builds upon.
    let parent: ContentHash?
    /// Packs that this point brought, with their sizes.
    let packs: [(id: PackID, size: Int64)]
    /// A map of it says that a symbolic link has more names, which programs that know no later format than `plain` cannot read.
    let hasLinkedSymlinks: Bool

    private static let plain: Int64 = 2
    private static let linkedSymlinks: Int64 = 3

    /// What it is made of: each names the packs that it needs.
    var indexes: [ContentHash] { [manifests.index] + volumes.map(\.index) }

    var point: RecoveryPoint {
        RecoveryPoint(
            id: draft.id, application: application, epoch: draft.epoch, generation: draft.generation, source: draft.source,
            instant: instant, consistency: consistency, volumes: volumes.map(\.volume), manifests: manifests.content,
            verifiedAt: nil, final: draft.final)
    }

    func object() -> [UInt8] {
        let body: Value = [
            "format": .integer(hasLinkedSymlinks ? Self.linkedSymlinks : Self.plain),
            "id": .string(draft.id.text),
            "application": .string(application.text),
            "epoch": .integer(draft.epoch.number),
            "generation": .integer(draft.generation),
            "source": .string(draft.source.text),
            "final": .bool(draft.final),
            "session": .string(session.text),
            "instant": .integer(instant.nanosecondsSince1970),
            "consistency": .string(consistency.rawValue),
            "manifests": ["content": .string(manifests.content.text), "index": .string(manifests.index.hex)],
            "parent": parent.map { .string($0.hex) } ?? .null,
            "packs": .list(packs.map { ["id": .string($0.id.description), "size": .integer($0.size)] }),
            "volumes": .list(
                volumes.map { item in
                    [
                        "name": .string(item.volume.name.text), "kind": .string(item.volume.kind.rawValue),
                        "content": .string(item.volume.content.text), "size": .integer(item.volume.size.bytes),
                        "index": .string(item.index.hex),
                    ]
                }),
        ]
        let sealed: Value = ["body": body, "sha256": .string(ContentHash(of: Array(body.json().utf8)).hex)]
        return Array((sealed.json() + "\n").utf8)
    }

    init(
        draft: PointDraft, application: ApplicationName, session: Session, instant: Instant, consistency: Consistency, volumes: [Volume],
        manifests: Manifests, parent: ContentHash?, packs: [(id: PackID, size: Int64)], hasLinkedSymlinks: Bool = false
    ) {
        self.draft = draft
        self.application = application
        self.session = session
        self.instant = instant
        self.consistency = consistency
        self.volumes = volumes
        self.manifests = manifests
        self.parent = parent
        self.packs = packs
        self.hasLinkedSymlinks = hasLinkedSymlinks
    }

    init(parsing object: [UInt8]) throws(Malformed) {
        guard let sealed = try? Value(json: String(decoding: object, as: UTF8.self)) else { throw Malformed("it cannot be read") }
        let body = sealed["body"]
        guard let seal = sealed["sha256"].string, ContentHash(of: Array(body.json().utf8)).hex == seal else {
            throw Malformed("its checksum is wrong")
        }
        do { self = try PointRecord(body: body) } catch { throw error as? Malformed ?? Malformed("a name in it is not valid") }
        // The checksum covers what was parsed; the bytes around it must be nothing but the canonical form.
        guard self.object() == object else { throw Malformed("it is not in its canonical form") }
    }

    private init(body: Value) throws {
        func text(_ value: Value, _ key: String) throws -> String {
            guard let text = value[key].string else { throw Malformed("\(key) is missing") }
            return text
        }
        func number(_ value: Value, _ key: String) throws -> Int64 {
            guard let number = value[key].integer else { throw Malformed("\(key) is missing") }
            return number
        }
        func hash(_ value: Value, _ key: String) throws -> ContentHash {
            guard let hash = ContentHash(hex: try text(value, key)) else { throw Malformed("\(key) is not a hash") }
            return hash
        }
        let format = try number(body, "format")
        if format == 1 { throw Malformed("it is of format 1, which only programs before the first release wrote") }
        guard [Self.plain, Self.linkedSymlinks].contains(format) else { throw Malformed.newer }
        guard let session = Session(text: try text(body, "session")),
            let consistency = Consistency(rawValue: try text(body, "consistency")),
            let final = body["final"].bool
        else { throw Malformed("it is incomplete") }
        self.init(
            draft: PointDraft(
                id: try PointID(text(body, "id")), epoch: Epoch(try number(body, "epoch")), generation: try number(body, "generation"),
                source: try ClusterName(text(body, "source")), final: final),
            application: try ApplicationName(text(body, "application")), session: session,
            instant: Instant(nanosecondsSince1970: try number(body, "instant")), consistency: consistency,
            volumes: try (body["volumes"].list ?? []).map { item in
                guard let kind = VolumeKind(rawValue: try text(item, "kind")) else { throw Malformed("a volume's kind is not known here") }
                return Volume(
                    volume: PointVolume(
                        name: try VolumeName(text(item, "name")), kind: kind, content: ContentToken(try text(item, "content")),
                        size: ByteCount(try number(item, "size"))),
                    index: try hash(item, "index"))
            },
            manifests: Manifests(
                content: ContentToken(try text(body["manifests"], "content")), index: try hash(body["manifests"], "index")),
            parent: body["parent"].isNull ? nil : try hash(body, "parent"),
            packs: try (body["packs"].list ?? []).map { item in
                guard let id = Hex.bytes(try text(item, "id")), id.count == PackID.size else { throw Malformed("a pack's id is wrong") }
                return (PackID(raw: id), try number(item, "size"))
            }, hasLinkedSymlinks: format == Self.linkedSymlinks)
    }
}
