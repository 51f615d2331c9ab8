"""Teachers in PyTorch; skipped where it is not installed."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from cnn_gap.diagnoses.classes import read_weights  # noqa: E402
from cnn_gap.leads import LEADS  # noqa: E402
from cnn_gap.training.teacher_table import write_teacher_table  # noqa: E402
from research.teachers.attention import AttentionNetwork  # noqa: E402
from research.teachers.crossed import Crossing  # noqa: E402
from research.teachers.records import Records  # noqa: E402
from research.teachers.residual import ResidualNetwork  # noqa: E402
from research.teachers.state_space import StateSpace, StateSpaceNetwork  # noqa: E402
from research.teachers.training import LEAD_SETS, Recipe, predict, present_leads, train  # noqa: E402


@torch.no_grad()
def test_a_state_space_convolves_with_its_responses_in_both_directions():
    torch.manual_seed(0)
    space = StateSpace(3, 4)
    impulse = torch.zeros(3, 1, 40)
    impulse[:, :, 10] = 1
    found = space(impulse)[:, 0]
    forward, backward = space.responses(40)
    torch.testing.assert_close(found[:, 11:], forward[:, 1:30])
    torch.testing.assert_close(found[:, :10].flip(1), backward[:, 1:11])
    torch.testing.assert_close(found[:, 10], forward[:, 0] + backward[:, 0] + space.direct)


@torch.no_grad()
def test_a_response_is_that_of_the_discrete_system():
    torch.manual_seed(0)
    space = StateSpace(2, 3)
    step = space.log_step.exp()
    pole = torch.complex(-space.log_decay.exp(), space.frequency)
    z = torch.exp(torch.complex(-space.log_decay.exp() * step, space.frequency * step))
    scale = 2 * torch.complex(space.output[0], space.output[1]) * (z - 1) / pole
    expected = [(scale * z**k).real.sum(-1) for k in range(40)]
    torch.testing.assert_close(space.responses(40), torch.stack(expected, -1), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("network", [AttentionNetwork, ResidualNetwork, StateSpaceNetwork])
def test_a_window_of_any_length_is_predicted_as_the_mean_over_crops(network):
    torch.manual_seed(0)
    trained = network(5)
    windows = torch.randn(3, 12, 600).half()
    found = predict(trained, windows, Recipe())
    assert found.shape == (3, 5)
    crops = [predict(trained, windows[:, :, start : start + 250], Recipe()) for start in (0, 175, 350)]
    logits = np.mean([np.log(each / (1 - each)) for each in crops], axis=0)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), atol=1e-2)


def test_numbers_are_rounded_to_bfloat16_only_if_the_recipe_says_so():
    torch.manual_seed(0)
    network, windows = ResidualNetwork(5).eval(), torch.randn(3, 12, 250).half()
    with torch.no_grad():
        expected = network(windows.float()).sigmoid().numpy()
    np.testing.assert_allclose(predict(network, windows, Recipe(bfloat16=False)), expected, rtol=0, atol=1e-6)
    assert np.abs(predict(network, windows, Recipe()) - expected).max() > 1e-5


def test_batches_lose_leads_as_often_as_the_recipe_says():
    rng, recipe = np.random.default_rng(0), Recipe(missing_leads=0.3, lead_sets=0.2)
    kept = np.stack([present_leads(8, recipe, rng) for _ in range(1000)])
    whole = kept.all(axis=(1, 2)).mean()
    assert 0.45 < whole < 0.55
    alone = [
        tuple(lead for lead, there in zip(LEADS, row, strict=True) if there) for row in kept.reshape(-1, 12)
    ]
    assert set(LEAD_SETS) <= set(alone)


def few_records(patients=range(16)):
    rng = np.random.default_rng(0)
    windows = torch.from_numpy(rng.normal(size=(16, 12, 120)).astype(np.float16))
    labels = torch.from_numpy(rng.integers(2, size=(16, 24)).astype(np.float32))
    return Records(
        names=tuple(map(str, range(16))),
        windows=windows,
        labels=labels,
        targets=labels,
        validation=np.arange(16) >= 12,
        patients=np.array(list(map(str, patients))),
        classes=read_weights(),
    )


def test_each_training_patient_is_left_out_by_one_network_of_crossed_teachers():
    records = few_records(np.arange(16) // 2)
    crossing = Crossing(records, 3)
    assert (crossing.part[records.validation] == 0).all()
    assert set(crossing.part[~records.validation]) == {1, 2, 3}
    assert (crossing.part[0:12:2] == crossing.part[1:12:2]).all(), "the records of a patient are in one part"
    learned = np.array([~crossing.without(number).validation for number in crossing.numbers])
    assert (learned.sum(axis=0) == np.where(records.validation, 0, 2)).all()


def test_crossed_teachers_tell_of_a_record_what_networks_say_that_have_not_learned_it():
    crossing = Crossing(few_records(), 3)
    learned = [~crossing.without(number).validation[:, None] for number in crossing.numbers]
    np.testing.assert_allclose(crossing.join(np.where(learned, 0.9, 0.2)), 0.2)
    validation = crossing.join([np.full((16, 1), probability) for probability in (0.1, 0.5, 0.9)])[-1]
    assert validation == pytest.approx(0.5)


def test_an_interrupted_training_goes_on_as_it_would_have(tmp_path):
    records = few_records()
    recipe = Recipe(epochs=3, batch_size=4, crop=60)

    def trained(name, log=lambda line: None):
        torch.manual_seed(0)
        return train(StateSpaceNetwork(24, 8, 1), records, recipe, tmp_path / name, log)

    def interrupt(line):
        if line.startswith("epoch 2/"):
            raise KeyboardInterrupt

    whole = trained("whole.safetensors")
    with pytest.raises(KeyboardInterrupt):
        trained("twice.safetensors", interrupt)
    lines = []
    again = trained("twice.safetensors", lines.append)
    assert len(lines) == 1
    for key, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[key], value)
    assert not list(tmp_path.glob("*.checkpoint"))


def test_the_targets_of_a_taught_network_are_a_mean_of_labels_and_of_the_mean_of_the_tables(tmp_path):
    records = few_records()
    tables = []
    for probability in (0.2, 0.4):
        tables.append(tmp_path / f"{probability}.parquet")
        said = np.full(records.labels.shape, probability, np.float32)
        write_teacher_table(tables[-1], records.names[::-1], records.classes.representatives, said)
    taught = records.learning_from(tables, share=0.5)
    assert torch.equal(taught.labels, records.labels)
    torch.testing.assert_close(taught.targets, 0.5 * records.labels + 0.5 * 0.3, rtol=0, atol=1e-3)
    assert records.learning_from([], share=0.5) is records


@torch.no_grad()
def test_attention_does_not_depend_on_where_a_step_lies():
    torch.manual_seed(0)
    network = AttentionNetwork(5).eval()
    near = [layer for block in network.blocks for layer in (block.near, block.mix)]
    for layer in near:  # without the convolutions of the blocks, only attention compares steps
        layer.weight.zero_()
    features = torch.randn(2, 9, 192)
    order = torch.randperm(9)
    torch.testing.assert_close(
        network.blocks(features[:, order]), network.blocks(features)[:, order], rtol=1e-4, atol=1e-4
    )
