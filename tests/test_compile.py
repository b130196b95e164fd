"""What a user can rely on of `autograd.compile`: the function's results, run after run, or an error that says why not."""

import threading

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Tensor, tensor

F = nn.functional


def data(*shape, seed=0):
    return Tensor(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def classes(*shape, high=4, seed=0):
    return Tensor(np.random.default_rng(seed).integers(0, high, shape))


def programs(compiled):
    return [variant for variants in compiled.variants.values() for variant in variants]


def trainer(make_model, make_optimizer=lambda p: optim.SGD(p, lr=0.1), loss_of=F.cross_entropy, between=None):
    """A model and its training step, the same at every call."""
    autograd.manual_seed(0)
    model = make_model()
    optimizer = make_optimizer(model.parameters())

    def step(x, y):
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        if between is not None:
            between(model)
        optimizer.step()
        return loss

    return model, optimizer, step


def small():
    return nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 4))


def assert_same_training(*args, steps=12, **kwargs):
    """The step compiled and as it stands: losses, parameters and buffers after some steps."""
    ends = []
    batches = [(data(32, 8, seed=i), classes(32, seed=i)) for i in range(3)]
    for compiled in (False, True):
        model, _, step = trainer(*args, **kwargs)
        run = autograd.compile(step) if compiled else step
        autograd.manual_seed(1)
        losses = [run(*batches[i % 3]).item() for i in range(steps)]
        ends.append((losses, [t.array.copy() for t in (*model.parameters(), *model.buffers())]))
        if compiled:
            assert len(programs(run)) == 1
    (losses, values), (expected, wanted) = ends
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for a, b in zip(values, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


# --- training --------------------------------------------------------------------------------------------------------

OPTIMIZERS = {
    **{
        name: (lambda p, name=name: getattr(optim, name)(p, lr=0.01))
        for name in optim.__all__
        if isinstance(getattr(optim, name), type) and issubclass(getattr(optim, name), optim.Optimizer)
        and name not in ("LBFGS", "Muon", "Optimizer")
    },
    "SGD with momentum": lambda p: optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True, weight_decay=0.01),
}  # fmt: skip


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_optimizers(make):
    assert_same_training(small, make)


def test_muon():
    def model():
        return nn.Sequential(nn.Linear(8, 16, bias=False), nn.Tanh(), nn.Linear(16, 4, bias=False))

    assert_same_training(model, lambda p: optim.Muon(p, lr=0.01))


def test_lbfgs_says_that_it_reads_values():
    model, optimizer, _ = trainer(small, lambda p: optim.LBFGS(p))
    x, y = data(8, 8), classes(8)

    @autograd.compile
    def step():
        def closure():
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            return loss

        return optimizer.step(closure)

    with pytest.raises(RuntimeError, match="item: a compiled function can't read a value that changes"):
        step()


class Recurrent(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.layer = kind(4, 8, batch_first=True)
        self.out = nn.Linear(8, 4)

    def forward(self, x):
        return self.out(self.layer(x.reshape(32, 2, 4))[0][:, -1])


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.1, batch_first=True)
        self.out = nn.Linear(4, 4)

    def forward(self, x):
        return self.out(self.layer(x.reshape(32, 2, 4)).mean(1))


MODELS = {
    "batch norm": lambda: nn.MLP([8, 16, 4], batch_norm=True),
    "dropout": lambda: nn.MLP([8, 16, 4], dropout=0.3),
    "layer norm": lambda: nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 4)),
    "rms and group norm": lambda: nn.Sequential(nn.Linear(8, 16), nn.RMSNorm(16), nn.GroupNorm(4, 16), nn.Linear(16, 4)),
    "random slopes": lambda: nn.Sequential(nn.Linear(8, 16), nn.RReLU(), nn.PReLU(), nn.Linear(16, 4)),
    "convolution": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 8)), nn.Conv1d(1, 4, 3, padding=1), nn.BatchNorm1d(4), nn.ReLU(), nn.MaxPool1d(2),
        nn.Conv1d(4, 8, 3), nn.AvgPool1d(2), nn.Flatten(), nn.Linear(8, 4),
    ),
    "rnn": lambda: Recurrent(nn.RNN),
    "lstm": lambda: Recurrent(nn.LSTM),
    "gru": lambda: Recurrent(nn.GRU),
    "attention": Attention,
}  # fmt: skip


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_models(make):
    assert_same_training(make)


LOSSES = {
    "weights and smoothing": lambda p, y: F.cross_entropy(p, y, tensor([1.0, 2.0, 0.5, 1.0]), label_smoothing=0.1),
    "ignored": lambda p, y: F.cross_entropy(p, y, ignore_index=1),
    "sample weights": lambda p, y: F.cross_entropy(p, y, sample_weight=(y + 1).float()),
    "probabilities": lambda p, y: F.cross_entropy(p, F.one_hot(y, 4).float()),
    "nll": lambda p, y: F.nll_loss(F.log_softmax(p, 1), y),
    "margin": F.multi_margin_loss,
    "mse": lambda p, y: F.mse_loss(p, F.one_hot(y, 4).float()),
    "bce": lambda p, y: F.binary_cross_entropy(p.sigmoid(), F.one_hot(y, 4).float()),
    "several": lambda p, y: (
        F.cross_entropy(p, y) + 0.1 * F.smooth_l1_loss(p[:, 0], y.float()) + nn.utils.l2_penalty(p, 0.01)
    ),
    "indexing": lambda p, y: -(p.log_softmax(1)[autograd.arange(32), y]).mean() + p[y].sum() * 0.01,
    "grad inside": lambda p, y: (
        F.cross_entropy(p, y) + autograd.grad((p**3).sum(), p, create_graph=True)[0].norm() * 0.01
    ),
}


@pytest.mark.parametrize("loss_of", LOSSES.values(), ids=LOSSES)
def test_losses(loss_of):
    assert_same_training(small, loss_of=loss_of)


def test_clipping():
    assert_same_training(small, between=lambda model: nn.utils.clip_grad_norm_(model.parameters(), 0.1))
    assert_same_training(small, between=lambda model: nn.utils.clip_grad_value_(model.parameters(), 0.01))


LOOKUPS = {
    "Embedding": lambda: nn.Sequential(nn.Embedding(20, 8, padding_idx=3), nn.Flatten(), nn.Linear(24, 4)),
    "EmbeddingBag": lambda: nn.Sequential(nn.EmbeddingBag(20, 8, mode="mean"), nn.Linear(8, 4)),
}


@pytest.mark.parametrize("model", LOOKUPS.values(), ids=LOOKUPS)
def test_embeddings(model):
    ends = []
    for compiled in (False, True):
        _, _, step = trainer(model)
        run = autograd.compile(step) if compiled else step
        ends.append([run(classes(16, 3, high=20, seed=i), classes(16, seed=i)).item() for i in range(5)])
    np.testing.assert_allclose(*ends, rtol=1e-6)


def test_schedulers_change_the_rate_without_another_program():
    ends = []
    for compiled in (False, True):
        model, optimizer, step = trainer(small, lambda p: optim.Adam(p, lr=0.1))
        schedule = optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
        run = autograd.compile(step) if compiled else step
        for i in range(8):
            run(data(32, 8, seed=i), classes(32, seed=i))
            schedule.step()
        ends.append(model[0].weight.array)
        if compiled:
            assert len(programs(run)) == 1
            assert optimizer.state[model[0].weight]["step"].item() == 8
    np.testing.assert_allclose(*ends, rtol=1e-5, atol=1e-7)


def test_gradients_accumulate_where_they_are_not_cleared():
    ends = []
    for compiled in (False, True):
        model, optimizer, _ = trainer(small)

        def backward(x, y, model=model):
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            return loss

        run = autograd.compile(backward) if compiled else backward
        for i in range(9):
            run(data(32, 8, seed=i), classes(32, seed=i))
            if i % 3 == 2:
                optimizer.step()
                optimizer.zero_grad()
        ends.append(model[0].weight.array)
    np.testing.assert_allclose(*ends, rtol=1e-5, atol=1e-7)


def test_running_statistics_and_modes():
    model = nn.MLP([8, 16, 4], batch_norm=True, dropout=0.5)
    run = autograd.compile(model)
    twin = nn.MLP([8, 16, 4], batch_norm=True, dropout=0.5)
    twin.load_state_dict(model.state_dict())
    for i, training in enumerate((True, True, False, True, False, False)):
        model.train(training), twin.train(training)
        autograd.manual_seed(i)
        y = run(data(32, 8, seed=i))
        autograd.manual_seed(i)
        np.testing.assert_allclose(y.detach().array, twin(data(32, 8, seed=i)).detach().array, rtol=1e-5, atol=1e-6)
    assert len(programs(run)) == 2
    for a, b in zip(model.buffers(), twin.buffers(), strict=True):
        np.testing.assert_allclose(a.array, b.array, rtol=1e-6)
    assert model[1].num_batches_tracked.item() == 3


def test_eager_code_sees_parameters_and_the_other_way_round():
    model, _, step = trainer(small)
    run = autograd.compile(step)
    x, y = data(32, 8), classes(32)
    for _ in range(3):
        before = model[0].weight.array.copy()
        run(x, y)
        assert (model[0].weight.array != before).any()
        assert model[0].weight.grad is not None
    with autograd.no_grad():
        model[0].weight.zero_()
    loss = run(x, y)
    assert loss.item() == pytest.approx(F.cross_entropy(nn.Sequential(*model)(x), y).item(), rel=0.5)
    assert len(programs(run)) == 1
    model.load_state_dict(small().state_dict())
    run(x, y)


# --- what is returned ------------------------------------------------------------------------------------------------


def test_results_are_new_at_every_call():
    run = autograd.compile(lambda x: {"twice": x * 2, "same": x, "both": (x + 1, "text")})
    first, second = run(tensor([1.0])), run(tensor([5.0]))
    assert first["twice"].item() == 2 and second["twice"].item() == 10
    assert second["same"].item() == 5 and second["both"][0].item() == 6 and second["both"][1] == "text"


def test_gradients_flow_through_results():
    model = small()
    run = autograd.compile(model)
    for seed in range(3):
        x = data(5, 8, seed=seed).requires_grad_()
        twin = x.detach().clone().requires_grad_()
        model.zero_grad()
        (run(x * 1.0) ** 2).sum().backward()
        found = [x.grad.array, *(p.grad.array for p in model.parameters())]
        model.zero_grad()
        (model(twin * 1.0) ** 2).sum().backward()
        for a, b in zip(found, [twin.grad.array, *(p.grad.array for p in model.parameters())], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    with pytest.raises(RuntimeError, match="gradients of a compiled function have no graph"):
        autograd.grad(run(data(5, 8)).sum(), list(model.parameters()), create_graph=True)


def test_several_results_and_their_gradients():
    run = autograd.compile(lambda x: (x * 2, x.exp(), x.detach() + 1))
    for value in (1.0, 2.0):
        x = tensor([value], requires_grad=True)
        twice, power, plain = run(x)
        assert not plain.requires_grad
        (twice + 3 * power).sum().backward()
        assert x.grad.item() == pytest.approx(2 + 3 * np.exp(value))


def test_a_dropout_mask_is_the_same_forward_and_back():
    run = autograd.compile(lambda x: F.dropout(x, 0.5))
    for seed in range(3):
        autograd.manual_seed(seed)
        x = autograd.ones(100, requires_grad=True)
        y = run(x)
        y.sum().backward()
        assert (x.grad.array == y.detach().array).all()
        autograd.manual_seed(seed)
        assert (F.dropout(autograd.ones(100), 0.5).array == y.detach().array).all()


def test_under_no_grad_nothing_is_recorded():
    run = autograd.compile(small())
    assert run(data(3, 8)).requires_grad
    with autograd.no_grad():
        assert not run(data(3, 8)).requires_grad
    assert run(data(3, 8)).requires_grad and len(programs(run)) == 2


# --- values and memory -----------------------------------------------------------------------------------------------


def test_writes_in_place_and_views():
    def steps(x, buffer):
        rows = buffer[1:]
        rows.mul_(2.0).add_(x)
        buffer[0] = x[0] - 1
        local = autograd.zeros(2, 3)
        local[1] += x[1]
        return buffer.sum(), local, rows.t()

    run = autograd.compile(steps)
    mine, theirs = autograd.ones(3, 3), autograd.ones(3, 3)
    for seed in range(3):
        x = data(2, 3, seed=seed)
        for a, b in zip(run(x, mine), steps(x, theirs), strict=True):
            np.testing.assert_allclose(a.array, b.array, rtol=1e-6)
        np.testing.assert_allclose(mine.array, theirs.array, rtol=1e-6)


def test_arguments_of_any_layout():
    run = autograd.compile(lambda a, b: a @ b + a.sum(1, keepdim=True))
    for a in (data(3, 3), data(3, 3).t(), data(6, 6)[::2, 1::2], data(3, 1).expand(3, 3)):
        np.testing.assert_allclose(run(a, a).array, (a @ a + a.sum(1, keepdim=True)).array, rtol=1e-5)


def test_random_numbers_are_drawn_anew():
    run = autograd.compile(lambda x: (x + autograd.rand(3), autograd.randn(2), x.bernoulli(), x.clone().uniform_()))
    for seed in range(3):
        x = autograd.full((3,), 0.5)
        autograd.manual_seed(seed)
        found = run(x)
        autograd.manual_seed(seed)
        expected = (x + autograd.rand(3), autograd.randn(2), x.bernoulli(), x.clone().uniform_())
        for a, b in zip(found, expected, strict=True):
            assert (a.array == b.array).all()


def test_functions_of_the_user():
    class Cube(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return Tensor(np.power(x.numpy(force=True), 3))

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x * x

    run = autograd.compile(lambda x: autograd.grad((Cube.apply(x) * 2).sum(), x)[0])
    for value in (1.0, 2.0, 3.0):
        assert run(tensor([value], requires_grad=True)).item() == pytest.approx(6 * value**2)


def test_higher_derivatives_inside():
    def second(x):
        (first,) = autograd.grad((x**4).sum(), x, create_graph=True)
        return autograd.grad(first.sum(), x)[0]

    run = autograd.compile(second)
    for value in (1.0, 2.0, 3.0):
        assert run(tensor([value], requires_grad=True)).item() == pytest.approx(12 * value**2)


def test_inside_vmap_and_other_compiled_functions():
    inner = autograd.compile(lambda x: (x * x).sum())
    outer = autograd.compile(lambda x: inner(x) + 1)
    assert outer(tensor([1.0, 2.0])).item() == 6 and outer(tensor([2.0, 2.0])).item() == 9
    assert autograd.vmap(inner)(autograd.ones(3, 2)).tolist() == [2, 2, 2]


def test_methods():
    class Scale:
        def __init__(self, by):
            self.by = by

        @autograd.compile
        def __call__(self, x):
            return x * self.by

    assert Scale(2.0)(tensor([3.0])).item() == 6 and Scale(5.0)(tensor([3.0])).item() == 15


# --- threads ----------------------------------------------------------------------------------------------------------


def test_threads():
    model = small()
    run = autograd.compile(model)
    inputs = [data(16, 8, seed=i) for i in range(8)]
    expected = [model(x).detach().array for x in inputs]
    wrong = []

    def work(i):
        for _ in range(50):
            if not np.allclose(run(inputs[i]).detach().array, expected[i], rtol=1e-5, atol=1e-6):
                wrong.append(i)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(len(inputs))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_threads_of_the_pool():
    before = autograd.get_num_threads()
    try:
        ends = []
        for count in (1, 2):
            autograd.set_num_threads(count)
            run = autograd.compile(lambda x, w, v: ((x @ w).relu() * 2, (x.exp() * x).sum(), x.sum(0), (v * v).mean()))
            for seed in range(2):
                outs = run(data(600, 600, seed=seed), data(600, 600, seed=seed + 9), data(300_000, seed=seed + 8))
            ends.append([t.array for t in outs])
        for a, b in zip(*ends, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-4)
    finally:
        autograd.set_num_threads(before)


@pytest.mark.parametrize(
    ("shape", "shared"),
    [((300, 320), True), ((14, 16, 512), True), ((2401, 37), True), ((20, 16384), True), ((20, 8001), False)],
)
def test_sums_over_the_first_axes_do_not_depend_on_the_threads(shape, shared):
    axes = tuple(range(len(shape) - 1))

    def columns(x):
        y = (x * x).tanh() - x
        return y, y.sum(axes), y.mean(axes)

    before = autograd.get_num_threads()
    try:
        ends = []
        for count in (1, 2, 4):
            autograd.set_num_threads(count)
            run = autograd.compile(columns)
            run(data(*shape))
            ends.append([t.array for t in run(data(*shape, seed=1))])
            assert ("in prange" in run.source) == (shared and count > 1)
    finally:
        autograd.set_num_threads(before)
    for other in ends[1:]:
        for a, b in zip(ends[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
    y, total, mean = ends[0]
    np.testing.assert_allclose(total, y.sum(axes, np.float64), rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(mean, y.mean(axes, np.float64), rtol=1e-5, atol=1e-6)


# --- looking at it ---------------------------------------------------------------------------------------------------


def test_explanation_and_source():
    model, _, step = trainer(small, lambda p: optim.Adam(p, lr=0.1))
    run = autograd.compile(step)
    x, y = data(6, 8), classes(6)
    for _ in range(2):
        run(x, y)
    before = [p.array.copy() for p in model.parameters()]
    text = run.explain()
    assert text.startswith("step: 1 program, of at most 16")
    assert "1 segment" in text and "product (6, 8) @ (8, 16)" in text and "add tanh (6, 16)" in text and "adam" in text
    assert f"{__file__}:" in text
    assert all((p.array == b).all() for p, b in zip(model.parameters(), before, strict=True))
    assert "def run0(t, s, x0, x1" in run.source and "def formula(" in run.source
    assert repr(run) == "<compiled step: 1 program>"


def test_the_picture_of_a_program(tmp_path):
    _, _, step = trainer(small, lambda p: optim.Adam(p, lr=0.1))
    run = autograd.compile(step)
    run(data(6, 8), classes(6))
    picture = autograd.viz.program_graph(run)
    assert "add<br/>tanh" in picture.source and "adam" in picture.source and picture.source.count("product") >= 5
    assert "argument, 192 bytes" in picture.source and "result0" in picture.source
    picture.save(tmp_path / "program.dot")
    with pytest.raises(TypeError) as caught:
        autograd.viz.program_graph(step)
    assert str(caught.value) == "program_graph: a compiled function is needed; got function; compile() it"
    with pytest.raises(IndexError) as caught:
        autograd.viz.program_graph(run, 1)
    assert str(caught.value) == "program_graph: there are 1 programs; got number 1; call the function first"


def test_embeddings_of_bounded_norm():
    def model():
        return nn.Sequential(nn.Embedding(20, 8, max_norm=1.0), nn.Flatten(), nn.Linear(24, 4))

    ends = []
    for compiled in (False, True):
        net, _, step = trainer(model)
        run = autograd.compile(step) if compiled else step
        for i in range(5):
            run(classes(16, 3, high=20, seed=i), classes(16, seed=i))
        ends.append(net[0].weight.array)
    np.testing.assert_allclose(*ends, rtol=1e-5)


def test_halves_count_their_steps():
    """Updates without a kernel of their own dtype are ordinary calls, with the numbers of each run."""
    ends = []
    for compiled in (False, True):
        w = tensor([1.0, -2.0], dtype=autograd.float16, requires_grad=True)
        optimizer = optim.Adam([w], lr=0.1)

        def step(w=w, optimizer=optimizer):
            optimizer.zero_grad()
            (w * w).sum().backward()
            optimizer.step()

        run = autograd.compile(step) if compiled else step
        for i in range(6):
            optimizer.param_groups[0]["lr"] = 0.1 / (i + 1)
            run()
        ends.append(w.detach().array)
    np.testing.assert_array_equal(*ends)
