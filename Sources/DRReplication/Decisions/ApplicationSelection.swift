package import DRModel

/// Which objects are an application's: those of its namespaces that carry all its labels. PersistentVolumes follow from its claims.
package enum ApplicationSelection {
    package static func selects(_ object: ManifestObject, _ application: Application) -> Bool {
        guard application.labels.allSatisfy({ object.labels[$0.key] == $0.value }) else { return false }
        if let namespace = object.key.namespace { return application.namespaces.contains(namespace) }
        return object.key.kind == "Namespace" && application.namespaces.contains(object.key.name)
    }
}
