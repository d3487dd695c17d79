internal import DRManifest
internal import DRModel

struct FixedAddresses: ManifestCheck {
    static let id = "no-fixed-addresses"
    static let summary = "No service asks for an address of the source's network."
    static let fix = "remove the address or transform it; load balancer addresses are not taken along"
    static let calm = "no service asks for a fixed address"

    func findings(in manifests: [Manifest], of application: Application, _ context: CheckContext) async throws -> [String] {
        manifests.filter { $0.key.kind == "Service" }.flatMap { service -> [String] in
            let addresses = (service.root[["spec", "externalIPs"]]?.items ?? []).compactMap(\.scalar)
            let ranges = (service.root[["spec", "loadBalancerSourceRanges"]]?.items ?? []).compactMap(\.scalar)
            return (addresses + ranges).map { "\(service.key) has \($0)" }
        }
    }
}
