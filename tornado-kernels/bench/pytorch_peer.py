"""Times PyTorch's operators in strict FP32 at the shapes of KernelBench's model set, for comparison in the same session.

    python tornado-kernels/bench/pytorch_peer.py
"""
import torch
import torch.nn.functional as F

torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False


def median_ms(run, executions=7, warm_up=3):
    for _ in range(warm_up):
        run()
    times = []
    for _ in range(executions):
        start, end = torch.cuda.Event(True), torch.cuda.Event(True)
        start.record()
        run()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end))
    return sorted(times)[executions // 2]


def report(name, shape, run, flop=0, bytes_moved=0):
    ms = median_ms(run)
    print(f"{name:18} {shape:28} {ms:10.4f} ms {flop / ms / 1e9:10.2f} TFLOP/s {bytes_moved / ms / 1e6:10.1f} GB/s")


def linear(m, n, k):
    x, w, b = (torch.randn(*s, device="cuda") for s in ((m, k), (n, k), (n,)))
    report("linear", f"{m}x{n}x{k}", lambda: F.linear(x, w, b), 2 * m * n * k, 4 * (m * k + n * k + m * n))


def conv(n, h, w, c, o, scale=1):
    x = torch.randn(n, c, h // scale, w // scale, device="cuda")
    k, b = torch.randn(o, c, 3, 3, device="cuda"), torch.randn(o, device="cuda")

    def run():
        y = x if scale == 1 else F.interpolate(x, scale_factor=2.0, mode="nearest")
        return F.conv2d(y, k, b, padding=1)

    report(f"conv3x3 scale {scale}", f"{n}x{h}x{w}x{c}->{o}", run, 18 * n * h * w * c * o)


@torch.no_grad()
def main():
    print(torch.__version__, torch.cuda.get_device_name())
    rows, hidden = 16 * 1024, 1152
    for n, k in ((3 * hidden, hidden), (hidden, hidden), (4 * hidden, hidden), (hidden, 4 * hidden), (32, hidden),
                 (hidden, 16)):
        linear(rows, n, k)
    linear(16, 6 * hidden, hidden)
    linear(1, hidden, 256)
    q, k, v = (torch.randn(16, 16, 1024, 72, device="cuda") for _ in range(3))
    report("attention", "16x1024x16x72", lambda: F.scaled_dot_product_attention(q, k, v), 4 * 256 * 1024 ** 2 * 72)
    x, shift, scale = torch.randn(16, 1024, hidden, device="cuda"), *torch.randn(2, 16, 1, hidden, device="cuda")
    report("layerNorm", "16x1024x1152", lambda: F.layer_norm(x, (hidden,), eps=1e-6) * (1 + scale) + shift, 0,
           8 * rows * hidden)
    report("randn", "131072", lambda: torch.randn(131072, device="cuda"), 0, 4 * 131072)
    conv(8, 64, 64, 4, 512)
    conv(8, 64, 64, 512, 512)
    conv(8, 128, 128, 512, 512, 2)
    conv(4, 256, 256, 512, 512, 2)
    conv(4, 256, 256, 512, 256)
    conv(2, 512, 512, 256, 256, 2)
    conv(2, 512, 512, 128, 128)
    conv(2, 512, 512, 128, 3)
    q, k, v = (torch.randn(8, 1, 4096, 512, device="cuda") for _ in range(3))
    report("vae attention", "8x4096x512", lambda: F.scaled_dot_product_attention(q, k, v), 4 * 8 * 4096 ** 2 * 512)
    for n, p, c in ((8, 64, 512), (2, 512, 256)):
        x, w, b = torch.randn(n, c, p, p, device="cuda"), torch.randn(c, device="cuda"), torch.randn(c, device="cuda")
        report("groupNorm", f"{n}x{p * p}x{c}", lambda: F.silu(F.group_norm(x, 32, w, b, 1e-6)), 0, 12 * x.numel())


if __name__ == "__main__":
    main()
