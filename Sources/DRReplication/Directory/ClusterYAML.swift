internal import DRManifest
internal import DRModel

/// `cluster.yaml`: facts of an embedded cluster, and never commands.
enum ClusterYAML {
    private static let known = ["platform", "version", "objectSize", "secretsProvider"]

    /// Throws `configuration` with file and line.
    static func facts(_ text: String, file: String) throws(DRError) -> ClusterFacts {
        let root: YAMLNode
        do { root = try YAMLNode.parse(text, file: file) } catch {
            throw DRError(.configuration, error.message, hint: error.hint, location: error.location)
        }
        _ = try root.map("cluster.yaml")
        if let unknown = root.unknownKeys("", allowed: known).first { throw unknown }
        let platform = try root["platform"]?.choice("platform", of: ["kubernetes", "openshift"]) ?? "kubernetes"
        guard let version = root["version"] else {
            throw DRError(
                .configuration, "cluster.yaml has no version", hint: "expected the Kubernetes version, such as `version: \"1.31\"`",
                location: root.location)
        }
        return ClusterFacts(
            platform: platform, version: try version.string("version"),
            objectSize: try root["objectSize"]?.size("objectSize") ?? ByteCount(16 << 20 as Int64),
            secretsProvider: try root["secretsProvider"]?.string("secretsProvider"))
    }
}
