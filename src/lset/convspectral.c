/* convspectral: some entries of x are the kernel K of a convolution of several channels with wrapped edges,

     (K * w)_o(y, x) = sum_{i, s, t} K_oist w_i(y - s mod N, x - t mod N),    0 <= s, t < k <= N,

   a linear map whose norm is at most r. Its singular values are those of the small matrices

     H_oi(u, v) = sum_{s, t} K_oist exp(-2 pi j (u s + v t) / N),    0 <= u, v < N

   (Sedghi, Gupta, Long, ICLR 2019). One sweep clips each H's singular values, which is the projection among
   all N x N kernels, transforms back, and drops what is outside the k x k entries there are. That is a
   projection after a projection: exact for k = N and k = 1, else near the point of both sets that is nearest.
   More sweeps, each of which clips H plus what the one before has clipped off, are Dykstra's method and come
   as near as one likes.

   H is needed for one of (u, v) and (-u, -v), its conjugate. The ranks share these frequencies. Transforms
   that know the k x k entries are two products of matrices, Phase^T K and Phase H^T: for small k as quick as
   an FFT of N x N, and a rank makes those of its own frequencies alone. Complex matrices are clipped as the
   real ones [Re, -Im; Im, Re], which have each singular value twice. */
#include <petscviewer.h>
#include <twofold/impl/lsetimpl.h>
#include "clip.h"

typedef struct {
  PetscInt offset, out, in, width, grid; /* out = 0: nobody has said */
  PetscBool suggested;                   /* the kernel is not the user's choice */
  PetscInt sweeps;
  PetscBLASInt taps, pairs, nh; /* k^2; channels out times in; twice the number of this rank's frequencies */
  PetscScalar *Phase;           /* taps x nh: for each frequency, a column cos and one -sin */
  PetscScalar *weight;          /* of each frequency in the transform back */
  PetscScalar *H, *correction;  /* pairs x nh: for each frequency, a column Re and one Im */
  PetscScalar *small;           /* [Re, -Im; Im, Re] by columns */
  PetscScalar *sum;             /* kernel of this rank's frequencies, then of all; two counters behind it */
  Vec K;                        /* all of the kernel, on every rank */
  VecScatter scatter;           /* from the whole vector */
  LSETClip clip;
} ConvSpectral;

/* ------------------------------------------------------------------ set-up */

static PetscErrorCode FreeWork(ConvSpectral *conv)
{
  PetscFunctionBegin;
  PetscCall(PetscFree2(conv->Phase, conv->weight));
  PetscCall(PetscFree4(conv->H, conv->correction, conv->small, conv->sum));
  PetscCall(VecDestroy(&conv->K));
  PetscCall(VecScatterDestroy(&conv->scatter));
  PetscCall(LSETClipDestroy_Private(&conv->clip));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether (u, v) stands for itself and for (-u, -v); 1 where it is both, else 2. */
static int Multiplicity(PetscInt N, PetscInt u, PetscInt v)
{
  const PetscInt other = (N - u) % N * N + (N - v) % N, own = u * N + v;

  return own > other ? 0 : own == other ? 1 : 2;
}

/* The columns of frequency (u, v). Sines of a frequency that is its own conjugate are 0. */
static void FillPhase(const ConvSpectral *conv, PetscInt u, PetscInt v, PetscScalar cosine[],
                      PetscScalar minus_sine[])
{
  const PetscInt N = conv->grid;
  const PetscBool real = (PetscBool)(Multiplicity(N, u, v) == 1);

  for (PetscInt s = 0; s < conv->width; s++)
    for (PetscInt t = 0; t < conv->width; t++) {
      const PetscReal angle = 2 * PETSC_PI * (PetscReal)((u * s + v * t) % N) / (PetscReal)N;
      cosine[s * conv->width + t] = PetscCosReal(angle);
      minus_sine[s * conv->width + t] = real ? 0 : -PetscSinReal(angle);
    }
}

/* This rank's frequencies: an even share of those that stand for all. */
static PetscErrorCode MakeFrequencies(MPI_Comm comm, ConvSpectral *conv)
{
  const PetscInt N = conv->grid, all = (N * N + (N % 2 ? 1 : 4)) / 2;
  PetscInt first = 0, end, n = PETSC_DECIDE, total = all, number = 0;

  PetscFunctionBegin;
  PetscCall(PetscSplitOwnership(comm, &n, &total));
  PetscCallMPI(MPI_Scan(&n, &end, 1, MPIU_INT, MPI_SUM, comm));
  first = end - n;
  PetscCall(PetscBLASIntCast(2 * n, &conv->nh));
  PetscCall(PetscMalloc2((size_t)conv->taps * (size_t)conv->nh, &conv->Phase, n, &conv->weight));
  for (PetscInt u = 0; u < N; u++)
    for (PetscInt v = 0; v < N; v++) {
      const int multiplicity = Multiplicity(N, u, v);
      if (!multiplicity) continue;
      if (number >= first && number < end) {
        PetscScalar *const column = conv->Phase + (size_t)(2 * (number - first)) * (size_t)conv->taps;
        FillPhase(conv, u, v, column, column + conv->taps);
        conv->weight[number - first] = (PetscReal)multiplicity / ((PetscReal)N * (PetscReal)N);
      }
      number++;
    }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CheckSizes(LSET lset, Vec layout)
{
  const ConvSpectral *const conv = (ConvSpectral *)lset->data;
  const char *const prefix = ((PetscObject)lset)->prefix ? ((PetscObject)lset)->prefix : "";
  const PetscReal width = (PetscReal)conv->width;

  PetscFunctionBegin;
  PetscCheck(conv->out > 0, PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_INCOMP,
             "-%slset_type convspectral has no kernel, and the problem names none: give its size by "
             "-%slset_channels_out, "
             "-%slset_channels_in, -%slset_kernel and -%slset_grid, or by LSETConvSpectralSetKernel()",
             prefix, prefix, prefix, prefix, prefix);
  PetscCall(LSETCheckRange_Private(lset, layout, conv->offset,
                                   (PetscReal)conv->out * (PetscReal)conv->in * width * width, "the kernel"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETSetUp_ConvSpectral(LSET lset, Vec layout)
{
  ConvSpectral *conv = (ConvSpectral *)lset->data;
  size_t size;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(CheckSizes(lset, layout));
  PetscCall(FreeWork(conv));
  PetscCall(PetscBLASIntCast(conv->width * conv->width, &conv->taps));
  PetscCall(PetscBLASIntCast(conv->out * conv->in, &conv->pairs));
  PetscCall(MakeFrequencies(PetscObjectComm((PetscObject)lset), conv));
  n = (PetscInt)conv->pairs * conv->taps;
  size = (size_t)conv->pairs * (size_t)conv->nh;
  PetscCall(LSETClipCreate_Private(2 * conv->out, 2 * conv->in, &conv->clip));
  PetscCall(PetscMalloc4(size, &conv->H, conv->sweeps > 1 ? size : 0, &conv->correction,
                         4 * (size_t)conv->pairs, &conv->small, n + 2, &conv->sum));
  PetscCall(LSETGather_Private(layout, conv->offset, n, &conv->K, &conv->scatter));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ projection */

/* small <-> the columns of a frequency in H */
static void ToSmall(const ConvSpectral *conv, const PetscScalar re[], const PetscScalar im[])
{
  const PetscInt out = conv->out, in = conv->in;

  for (PetscInt o = 0; o < out; o++)
    for (PetscInt i = 0; i < in; i++) {
      PetscScalar *const left = conv->small + 2 * out * i + o, *const right = left + 2 * out * in;
      left[0] = right[out] = re[o * in + i];
      left[out] = im[o * in + i];
      right[0] = -im[o * in + i];
    }
}

static void FromSmall(const ConvSpectral *conv, PetscScalar re[], PetscScalar im[])
{
  const PetscInt out = conv->out, in = conv->in;

  for (PetscInt o = 0; o < out; o++)
    for (PetscInt i = 0; i < in; i++) {
      re[o * in + i] = conv->small[2 * out * i + o];
      im[o * in + i] = conv->small[2 * out * i + out + o];
    }
}

/* Clips this rank's H, keeps what that took off where there is room for it, and multiplies by the weights. */
static PetscErrorCode ClipAll(ConvSpectral *conv, PetscReal r, PetscScalar *nclipped, PetscScalar *nfailed)
{
  const size_t pairs = (size_t)conv->pairs;
  PetscBLASInt info;
  PetscBool clipped;

  PetscFunctionBegin;
  *nclipped = *nfailed = 0;
  for (PetscInt f = 0; f < conv->nh / 2; f++) {
    PetscScalar *const h = conv->H + 2 * (size_t)f * pairs;
    PetscScalar *const off = conv->sweeps > 1 ? conv->correction + 2 * (size_t)f * pairs : NULL;
    ToSmall(conv, h, h + pairs);
    PetscCall(LSETClipApply_Private(&conv->clip, r, conv->small, &clipped, &info));
    if (info) *nfailed += 1;
    if (clipped) *nclipped += 1;
    if (off) PetscCall(PetscArraycpy(off, h, 2 * pairs));
    if (clipped) FromSmall(conv, h, h + pairs);
    for (size_t i = 0; i < 2 * pairs; i++) {
      if (off) off[i] -= h[i];
      h[i] *= conv->weight[f];
    }
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K <- the k x k entries of clip(H(K) + correction); stays as it is where the first sweep clips nothing.
   Collective. */
static PetscErrorCode Sweep(LSET lset, PetscBool first, PetscScalar K[], PetscBool *moved)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)lset);
  ConvSpectral *conv = (ConvSpectral *)lset->data;
  const PetscInt n = (PetscInt)conv->pairs * conv->taps;
  const PetscScalar one = 1, zero = 0, *const beta = first ? &zero : &one;
  PetscMPIInt count;

  PetscFunctionBegin;
  if (!first) PetscCall(PetscArraycpy(conv->H, conv->correction, (size_t)conv->pairs * (size_t)conv->nh));
  PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &conv->pairs, &conv->nh, &conv->taps, &one, K, &conv->taps,
                                      conv->Phase, &conv->taps, beta, conv->H, &conv->pairs));
  PetscCall(ClipAll(conv, lset->radius, &conv->sum[n], &conv->sum[n + 1]));
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "T", &conv->taps, &conv->pairs, &conv->nh, &one, conv->Phase,
                                      &conv->taps, conv->H, &conv->pairs, &zero, conv->sum, &conv->taps));
  PetscCall(PetscLogFlops(4.0 * n * (PetscLogDouble)conv->nh));
  PetscCall(PetscMPIIntCast(n + 2, &count));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, conv->sum, count, MPIU_SCALAR, MPIU_SUM, comm));
  PetscCheck(conv->sum[n + 1] == 0, comm, PETSC_ERR_LIB,
             "LAPACK's gesvd failed for %g frequencies of a kernel of %" PetscInt_FMT " x %" PetscInt_FMT
             " channels",
             (double)conv->sum[n + 1], conv->out, conv->in);
  *moved = (PetscBool)(!first || conv->sum[n] > 0);
  if (*moved) PetscCall(PetscArraycpy(K, conv->sum, n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* This rank's entries of x <- those of the kernel. */
static PetscErrorCode Write(const ConvSpectral *conv, const PetscScalar K[], Vec x)
{
  PetscInt first, end;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetOwnershipRange(x, &first, &end));
  PetscCall(VecGetArray(x, &a));
  for (PetscInt i = PetscMax(first, conv->offset);
       i < PetscMin(end, conv->offset + (PetscInt)conv->pairs * conv->taps); i++)
    a[i - first] = K[i - conv->offset];
  PetscCall(VecRestoreArray(x, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETProject_ConvSpectral(LSET lset, Vec x)
{
  const ConvSpectral *const conv = (ConvSpectral *)lset->data;
  PetscBool moved = PETSC_TRUE;
  PetscScalar *K;

  PetscFunctionBegin;
  PetscCall(VecScatterBegin(conv->scatter, x, conv->K, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecScatterEnd(conv->scatter, x, conv->K, INSERT_VALUES, SCATTER_FORWARD));
  PetscCall(VecGetArray(conv->K, &K));
  for (PetscInt sweep = 0; sweep < conv->sweeps && moved; sweep++)
    PetscCall(Sweep(lset, (PetscBool)(sweep == 0), K, &moved));
  if (moved) PetscCall(Write(conv, K, x));
  PetscCall(VecRestoreArray(conv->K, &K));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ settings */

PetscErrorCode LSETConvSpectralSetKernel(LSET lset, PetscInt offset, PetscInt out, PetscInt in,
                                         PetscInt width, PetscInt grid)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)lset);
  const char *const prefix = ((PetscObject)lset)->prefix ? ((PetscObject)lset)->prefix : "";
  ConvSpectral *conv;

  PetscFunctionBegin;
  PetscCall(LSETCheckType_Private(lset, LSETCONVSPECTRAL, "LSETConvSpectralSetKernel"));
  PetscCheck(offset >= 0 && out > 0 && in > 0, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-%slset_offset %" PetscInt_FMT ", -%slset_channels_out %" PetscInt_FMT
             ", -%slset_channels_in %" PetscInt_FMT
             ": a kernel has a channel on each side at least, from entry 0 on or later",
             prefix, offset, prefix, out, prefix, in);
  PetscCheck(width > 0 && width <= grid && grid <= 32768, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-%slset_kernel %" PetscInt_FMT ", -%slset_grid %" PetscInt_FMT
             ": a kernel's width is 1 at least, and at most that of the grid, which is at most 32768",
             prefix, width, prefix, grid);
  conv = (ConvSpectral *)lset->data;
  conv->offset = offset;
  conv->out = out;
  conv->in = in;
  conv->width = width;
  conv->grid = grid;
  conv->suggested = PETSC_FALSE;
  lset->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETConvSpectralSuggestKernel_Private(LSET lset, PetscInt offset, PetscInt out, PetscInt in,
                                                     PetscInt width, PetscInt grid)
{
  ConvSpectral *conv;
  PetscBool same;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)lset, LSETCONVSPECTRAL, &same));
  if (!same) PetscFunctionReturn(PETSC_SUCCESS);
  conv = (ConvSpectral *)lset->data;
  if (conv->out && !conv->suggested) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(LSETConvSpectralSetKernel(lset, offset, out, in, width, grid));
  conv->suggested = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETConvSpectralSetSweeps(LSET lset, PetscInt sweeps)
{
  const char *const prefix = ((PetscObject)lset)->prefix ? ((PetscObject)lset)->prefix : "";

  PetscFunctionBegin;
  PetscCall(LSETCheckType_Private(lset, LSETCONVSPECTRAL, "LSETConvSpectralSetSweeps"));
  PetscCheck(sweeps > 0, PetscObjectComm((PetscObject)lset), PETSC_ERR_ARG_OUTOFRANGE,
             "-%slset_sweeps %" PetscInt_FMT ": one sweep at least", prefix, sweeps);
  ((ConvSpectral *)lset->data)->sweeps = sweeps;
  lset->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETSetFromOptions_ConvSpectral(LSET lset, PetscOptionItems *PetscOptionsObject)
{
  const ConvSpectral *const conv = (ConvSpectral *)lset->data;
  const char *const setter = "LSETConvSpectralSetKernel";
  PetscInt offset = conv->offset, out = conv->out, in = conv->in, width = conv->width, grid = conv->grid;
  PetscInt sweeps = conv->sweeps;
  PetscBool set[5];

  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-lset_offset", "First entry of the matrix or kernel in lambda", setter, offset,
                            &offset, &set[0]));
  PetscCall(PetscOptionsInt("-lset_channels_out", "Channels that the convolution makes", setter, out, &out,
                            &set[1]));
  PetscCall(PetscOptionsInt("-lset_channels_in", "Channels it takes; as many where nobody says", setter, in,
                            &in, &set[2]));
  PetscCall(PetscOptionsInt("-lset_kernel", "Width K of its K x K kernels", setter, width, &width, &set[3]));
  PetscCall(PetscOptionsInt("-lset_grid", "Width N of the N x N images", setter, grid, &grid, &set[4]));
  PetscCall(PetscOptionsInt("-lset_sweeps", "Times to clip and crop: 1 once, more by Dykstra's method",
                            "LSETConvSpectralSetSweeps", sweeps, &sweeps, NULL));
  if (!conv->in && !set[2]) in = out;
  if (set[0] || set[1] || set[2] || set[3] || set[4])
    PetscCall(LSETConvSpectralSetKernel(lset, offset, out, in, width, grid));
  PetscCall(LSETConvSpectralSetSweeps(lset, sweeps));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETView_ConvSpectral(LSET lset, PetscViewer viewer)
{
  const ConvSpectral *const conv = (ConvSpectral *)lset->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "kernel of %" PetscInt_FMT " x %" PetscInt_FMT " channels, %" PetscInt_FMT
                                   " x %" PetscInt_FMT " wide, from entry %" PetscInt_FMT
                                   " on, norm at most the radius\n",
                                   conv->out, conv->in, conv->width, conv->width, conv->offset));
  PetscCall(PetscViewerASCIIPrintf(
      viewer, "images of %" PetscInt_FMT " x %" PetscInt_FMT ", sweeps %" PetscInt_FMT "%s\n", conv->grid,
      conv->grid, conv->sweeps,
      conv->width > 1 && conv->width < conv->grid ? ": not quite the nearest point" : ""));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LSETDestroy_ConvSpectral(LSET lset)
{
  PetscFunctionBegin;
  PetscCall(FreeWork((ConvSpectral *)lset->data));
  PetscCall(PetscFree(lset->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LSETCreate_ConvSpectral(LSET lset)
{
  ConvSpectral *conv;

  PetscFunctionBegin;
  PetscCall(PetscNew(&conv));
  conv->width = 3;
  conv->sweeps = 1;
  lset->data = conv;
  lset->uses_radius = PETSC_TRUE;
  lset->ops->setfromoptions = LSETSetFromOptions_ConvSpectral;
  lset->ops->setup = LSETSetUp_ConvSpectral;
  lset->ops->project = LSETProject_ConvSpectral;
  lset->ops->view = LSETView_ConvSpectral;
  lset->ops->destroy = LSETDestroy_ConvSpectral;
  PetscFunctionReturn(PETSC_SUCCESS);
}
