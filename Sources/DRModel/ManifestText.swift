internal import DRSupport

/// The text of a manifest, with what was read of it: each text is read once, whoever asks.
///
/// All of it follows from the text, so it holds for as long as the text does. Objects share it wherever they stand.
package final class ManifestText: Sendable {
    /// A change of one value; nil = removed.
    package struct Edit: Hashable, Sendable {
        let path: [String]
        let value: String?

        package init(_ path: [String], _ value: String?) {
            self.path = path
            self.value = value
        }
    }

    private struct Knowledge {
        var reading: (any Sendable)?
        /// The last edit that was asked for, and what it makes of the text: what holds an application at rest is asked for again and again.
        var edited: (edit: Edit, result: ManifestText)?
        /// What this text was made of by an edit: it keeps this one, and not the other way round.
        weak var origin: ManifestText?
        /// The edit that leads back there.
        var back: Edit?
    }

    package let text: String
    private let knowledge: Lock<Knowledge>

    package init(_ text: String, reading: (any Sendable)? = nil, from origin: ManifestText? = nil) {
        self.text = text
        knowledge = Lock(Knowledge(reading: reading, origin: origin))
    }

    /// What somebody has read of it; nil = nobody has.
    package func reading<Reading>(as type: Reading.Type) -> Reading? { knowledge.withLock { $0.reading } as? Reading }
    package func keep(_ reading: some Sendable) { knowledge.withLock { $0.reading = reading } }

    /// What the edit makes of the text; nil = nobody has asked for it.
    package func edited(_ edit: Edit) -> ManifestText? {
        knowledge.withLock { knowledge in
            if knowledge.edited?.edit == edit { return knowledge.edited?.result }
            return knowledge.back == edit ? knowledge.origin : nil
        }
    }

    package func keep(_ edit: Edit, making result: ManifestText) {
        knowledge.withLock { knowledge in
            if knowledge.origin === result { knowledge.back = edit } else { knowledge.edited = (edit, result) }
        }
    }

    package var origin: ManifestText? { knowledge.withLock { $0.origin } }
}
