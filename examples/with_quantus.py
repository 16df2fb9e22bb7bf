"""Three of Quantus' metrics on our named regions, beside Captum's Grad-CAM on the same small network.

pip install quantus captum
python examples/with_quantus.py
"""

from __future__ import annotations

import numpy as np
import quantus
import torch
from captum.attr import LayerGradCam

from nle_fast.faithfulness.quantus import explain_func


def network() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, stride=2, padding=1),
        torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 3, stride=2, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(32, 10),
    ).eval()


def grad_cam(model, inputs, targets, **options) -> np.ndarray:
    images, classes = torch.as_tensor(inputs), torch.as_tensor(targets)
    cam = LayerGradCam(model, model[3]).attribute(images, target=classes, relu_attributions=True)
    return torch.nn.functional.interpolate(cam, images.shape[2:], mode="bilinear").detach().numpy()


def main() -> None:
    model = network()
    x = np.random.default_rng(0).random((6, 3, 32, 32), dtype=np.float32)
    y = model(torch.from_numpy(x)).argmax(1).numpy()
    plain = {"disable_warnings": True, "display_progressbar": False}
    metrics = {
        "faithfulness correlation": quantus.FaithfulnessCorrelation(nr_runs=50, subset_size=128, **plain),
        "maximum sensitivity (robustness)": quantus.MaxSensitivity(nr_samples=4, **plain),
        "sparseness (complexity)": quantus.Sparseness(**plain),
    }
    for name, metric in metrics.items():
        for who, function in (("named regions", explain_func), ("Grad-CAM", grad_cam)):
            scores = metric(model=model, x_batch=x, y_batch=y, explain_func=function)
            print(f"{name:34} {who:14} {np.mean(scores):.4f}")


if __name__ == "__main__":
    main()
