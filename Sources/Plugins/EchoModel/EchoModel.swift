internal import RouterCore
