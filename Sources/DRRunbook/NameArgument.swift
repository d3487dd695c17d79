public import ArgumentParser
public import DRModel

extension Name: ExpressibleByArgument {
    public init?(argument: String) { try? self.init(argument) }
}
