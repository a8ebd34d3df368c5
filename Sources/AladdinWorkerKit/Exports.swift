// An engine of your own needs one import: the protocol and the vocabulary come with the worker.
@_exported public import EngineInterface
@_exported public import ServingModel
