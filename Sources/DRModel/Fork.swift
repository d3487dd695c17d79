/// Data that a cluster wrote, or may have written, by itself after it had lost an application: nobody else has it.
public struct Fork: Sendable, Codable, Hashable {
    public enum State: String, Sendable, Codable {
        /// It still stands in the application's volumes there; they are set aside before others take their place.
        case live
        /// It was set aside, and stays until a person removes it.
        case kept
    }

    public let application: ApplicationName
    public let cluster: ClusterName
    /// The epoch the cluster held when it wrote it.
    public let epoch: Epoch
    public let state: State
    /// When the cluster heard that it had lost the application, or when the data was set aside; nil = not known.
    public let at: Instant?
    /// Where a person finds it; nil = in the live volumes.
    public let place: String?
    public let volumes: [String]

    public init(
        application: ApplicationName, cluster: ClusterName, epoch: Epoch, state: State, at: Instant?, place: String? = nil,
        volumes: [String] = []
    ) {
        self.application = application
        self.cluster = cluster
        self.epoch = epoch
        self.state = state
        self.at = at
        self.place = place
        self.volumes = volumes
    }

    /// What it is and what a person does about it, in one sentence.
    public var text: String {
        let when = at.map { " since \($0)" } ?? ""
        switch state {
        case .live:
            return
                "\(cluster) lost epoch \(epoch)\(when), and its volumes may hold data that nobody else has: look into them before it goes live there"
        case .kept:
            let what = volumes.isEmpty ? "" : " (\(volumes.joined(separator: ", ")))"
            return
                "what \(cluster) wrote in epoch \(epoch) by itself is kept\(when) in \(place ?? "its folder")\(what): take what is needed, then remove it"
        }
    }
}
