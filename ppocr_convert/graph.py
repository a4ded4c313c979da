"""A small editor for ONNX graphs: find, replace and add nodes, by the names of the tensors between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from ppocr_api.errors import BundleError

#: The opset to which `finish` raises that of older models.
MIN_OPSET = 12
#: The opset from which on an operator's axes are an input.
_AXES_AS_INPUT = {"Squeeze": 13, "Unsqueeze": 13, "ReduceSum": 13, "ReduceMax": 18}


class Graph:
    """The graph of `model`, which is changed in place. Tensors are named; a node is known by what it writes."""

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.nodes: list[NodeProto] = list(model.graph.node)
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        for node in [node for node in self.nodes if node.op_type == "Constant"]:
            self._adopt(node)

    def _adopt(self, node: NodeProto) -> None:
        """Moves the value of a Constant node among the initializers, where every other constant is."""
        value = next((item for item in node.attribute if item.name == "value"), None)
        if value is None:
            return
        tensor = TensorProto()
        tensor.CopyFrom(value.t)
        tensor.name = node.output[0]
        self._constants[tensor.name] = tensor
        self.nodes.remove(node)

    @property
    def opset(self) -> int:
        return max((item.version for item in self.model.opset_import if item.domain == ""), default=MIN_OPSET)

    @property
    def input(self) -> str:
        """The one input that isn't a constant."""
        names: list[str] = [item.name for item in self.model.graph.input if item.name not in self._constants]
        if len(names) != 1:
            raise BundleError(f"the graph has {len(names)} inputs ({', '.join(names)}); a PP-OCR network has one")
        return names[0]

    @property
    def output(self) -> str:
        names: list[str] = [item.name for item in self.model.graph.output]
        if len(names) != 1:
            raise BundleError(f"the graph has {len(names)} outputs ({', '.join(names)}); a PP-OCR network has one")
        return names[0]

    def producer(self, tensor: str) -> NodeProto | None:
        return next((node for node in self.nodes if tensor in node.output), None)

    def consumers(self, tensor: str) -> list[NodeProto]:
        return [node for node in self.nodes if tensor in node.input]

    def constant(self, tensor: str) -> NDArray[Any] | None:
        found = self._constants.get(tensor)
        return None if found is None else numpy_helper.to_array(found)

    def add_constant(self, name: str, value: NDArray[Any]) -> str:
        self._constants[name] = numpy_helper.from_array(np.asarray(value, order="C"), name)
        return name

    def node(self, operator: str, inputs: Iterable[str], output: str, **attributes: Any) -> str:
        """Appends a node and returns the name of its output."""
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        return output

    def over_axes(self, operator: str, source: str, output: str, axes: list[int], **attributes: Any) -> str:
        """As `node`, for an operator whose axes are an attribute in older opsets and an input in newer ones."""
        if self.opset < _AXES_AS_INPUT[operator]:
            return self.node(operator, [source], output, axes=axes, **attributes)
        self.add_constant(f"{output}.axes", np.array(axes, np.int64))
        return self.node(operator, [source, f"{output}.axes"], output, **attributes)

    def first(self, operator: str, inputs: Iterable[str], output: str, **attributes: Any) -> str:
        """As `node`, but before all others."""
        self.nodes.insert(0, helper.make_node(operator, list(inputs), [output], name=output, **attributes))
        return output

    def before(self, place: NodeProto, operator: str, inputs: Iterable[str], output: str, **attributes: Any) -> str:
        """As `node`, but right before the node `place`."""
        made = helper.make_node(operator, list(inputs), [output], name=output, **attributes)
        self.nodes.insert(self.nodes.index(place), made)
        return output

    def remove(self, *nodes: NodeProto) -> None:
        for node in nodes:
            self.nodes.remove(node)

    def redirect(self, old: str, new: str) -> None:
        """Makes every reader of `old` read `new`."""
        for node in self.nodes:
            for place, name in enumerate(node.input):
                if name == old:
                    node.input[place] = new

    def drop_identities(self) -> None:
        """Removes Identity nodes; a graph output keeps its name."""
        outputs = {item.name for item in self.model.graph.output}
        for node in [node for node in self.nodes if node.op_type == "Identity"]:
            source, target = node.input[0], node.output[0]
            producer = self.producer(source)
            if target not in outputs:
                self.redirect(target, source)
            elif producer is not None:
                producer.output[list(producer.output).index(source)] = target
                self.redirect(source, target)
            else:
                continue
            self.remove(node)

    def fold_constants(self) -> None:
        """Replaces nodes whose inputs are all constants by the constants that they compute."""
        for node in list(self.nodes):
            values = {name: self.constant(name) for name in node.input if name}
            if not values or any(value is None for value in values.values()) or len(node.output) != 1:
                continue
            made = helper.make_graph([node], "constant", [], [onnx.ValueInfoProto(name=node.output[0])])
            made.initializer.extend(self._constants[name] for name in values)
            model = helper.make_model(made, opset_imports=self.model.opset_import)
            computed: Any = ReferenceEvaluator(model).run(None, {})
            self.add_constant(node.output[0], computed[0])
            self.remove(node)

    def attributes(self, node: NodeProto) -> dict[str, Any]:
        return {item.name: helper.get_attribute_value(item) for item in node.attribute}

    def store(self) -> ModelProto:
        """The changed model, with the inputs and outputs that it had."""
        del self.model.graph.node[:]
        self.model.graph.node.extend(self.nodes)
        del self.model.graph.initializer[:]
        self.model.graph.initializer.extend(self._constants.values())
        return self.model

    def finish(
        self, inputs: dict[str, tuple[int, list[int | str]]], outputs: dict[str, tuple[int, list[int | str]]], name: str
    ) -> ModelProto:
        """The changed model with these typed inputs and outputs. Equal sources give equal bytes: no dates, no metadata."""
        used = {tensor for node in self.nodes for tensor in node.input}
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(key, kind, shape) for key, (kind, shape) in inputs.items()],
            [helper.make_tensor_value_info(key, kind, shape) for key, (kind, shape) in outputs.items()],
            initializer=[tensor for key, tensor in self._constants.items() if key in used],
        )
        opset = [helper.make_opsetid(item.domain, max(item.version, MIN_OPSET)) for item in self.model.opset_import]
        model = helper.make_model(
            graph, opset_imports=opset, producer_name="ppocr", ir_version=min(self.model.ir_version, 10)
        )
        onnx.checker.check_model(model, full_check=True)
        return model
