internal import DRModel

/// Who may write: judged from the records of the clusters that were asked. The highest epoch wins.
struct Standing {
    let application: ApplicationName
    let home: ClusterName
    /// Of the clusters that were asked and have one.
    let records: [ClusterName: ApplicationRecord]

    /// The record with the highest epoch. Between two of one epoch the one of the cluster that it names as active counts: it knows more.
    var leading: ApplicationRecord {
        let epoch = records.values.map(\.epoch).max() ?? .first
        let leaders = records.filter { $0.value.epoch == epoch }.sorted { $0.key < $1.key }
        return (leaders.first { $0.key == $0.value.active } ?? leaders.first)?.value ?? .unmoved(at: home)
    }

    var epoch: Epoch { leading.epoch }
    var active: ClusterName { leading.active }

    func record(at cluster: ClusterName) -> ApplicationRecord? { records[cluster] }
    func epoch(at cluster: ClusterName) -> Epoch { record(at: cluster)?.epoch ?? .first }

    /// What the cluster's record says, or would say if it had one.
    func effectiveRecord(at cluster: ClusterName) -> ApplicationRecord { record(at: cluster) ?? .unmoved(at: home) }

    /// Throws `fenced` unless the application is active at `cluster`, in the highest epoch.
    func requireActive(at cluster: ClusterName) throws(DRError) {
        guard active != cluster || epoch(at: cluster) < epoch else { return }
        if active == cluster {
            throw DRError(
                .fenced, "\(application) goes to \(cluster) in epoch \(epoch), but its activation there was not finished",
                hint: "activate \(application) at \(cluster) again", details: whereabouts)
        }
        let own = epoch(at: cluster)
        throw DRError(
            .fenced,
            "\(application) is active at \(active) since epoch \(epoch); \(cluster) "
                + (own < epoch ? "holds epoch \(own) and is fenced" : "is fenced"),
            hint: "use the pair in the direction that leads away from \(active)", details: whereabouts)
    }

    /// What errors with the code `fenced` carry as details.
    var whereabouts: Value { leading.whereabouts(of: application) }
}

extension ApplicationRecord {
    /// Where the application is, for details of errors: `application`, `active` (a cluster), `epoch`.
    func whereabouts(of application: ApplicationName) -> Value {
        ["application": .string(application.text), "active": .string(active.text), "epoch": .integer(epoch.number)]
    }
}
