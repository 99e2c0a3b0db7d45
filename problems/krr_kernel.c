/* Kernel matrices of krr, distributed by rows, and the products that their derivatives are made of. */
#include "krr.h"
#include <petscblaslapack.h>

/* ------------------------------------------------------------------ samples */

PetscErrorCode KRRSamplesLayOut_Private(MPI_Comm comm, PetscInt nlocal, PetscInt n, PetscInt p, KRRSamples *s)
{
  PetscMPIInt size;

  PetscFunctionBegin;
  s->p = p;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscLayoutCreateFromSizes(comm, nlocal, n, 1, &s->layout));
  PetscCall(PetscMalloc2(size, &s->count, size, &s->first));
  for (PetscMPIInt r = 0; r < size; r++) {
    PetscCall(PetscMPIIntCast(s->layout->range[r], &s->first[r]));
    PetscCall(PetscMPIIntCast(s->layout->range[r + 1] - s->layout->range[r], &s->count[r]));
  }
  PetscCall(PetscCalloc1((size_t)nlocal * p + 1, &s->x));
  PetscCall(PetscCalloc1(nlocal + 1, &s->y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode FillSamples(DataSet ds, KRRSamples *s)
{
  const PetscInt n = s->layout->n;
  const PetscInt *rowptr, *col;
  const PetscScalar *val;
  const PetscReal *target;

  PetscFunctionBegin;
  PetscCall(DataSetGetRows(ds, NULL, &rowptr, &col, &val, NULL));
  PetscCall(DataSetGetTargets(ds, &target));
  PetscCall(PetscArraycpy(s->y, target, n));
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt e = rowptr[i]; e < rowptr[i + 1]; e++) s->x[(size_t)col[e] * n + i] = val[e];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRSamplesCreate_Private(DataSet ds, KRRSamples *s)
{
  PetscInt n, p, nlocal;

  PetscFunctionBegin;
  PetscCall(DataSetGetSizes(ds, &n, &p, NULL));
  PetscCall(DataSetGetRows(ds, &nlocal, NULL, NULL, NULL, NULL));
  PetscCall(KRRSamplesLayOut_Private(PetscObjectComm((PetscObject)ds), nlocal, n, p, s));
  PetscCall(FillSamples(ds, s));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRSamplesDestroy_Private(KRRSamples *s)
{
  PetscFunctionBegin;
  PetscCall(PetscLayoutDestroy(&s->layout));
  PetscCall(PetscFree2(s->count, s->first));
  PetscCall(PetscFree(s->x));
  PetscCall(PetscFree(s->y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRSamplesMean_Private(const KRRSamples *s, PetscReal mean[])
{
  PetscMPIInt p;

  PetscFunctionBegin;
  PetscCall(PetscMPIIntCast(s->p, &p));
  PetscCall(PetscArrayzero(mean, p));
  for (PetscInt f = 0; f < p; f++)
    for (PetscInt i = 0; i < s->layout->n; i++)
      mean[f] += s->x[(size_t)f * s->layout->n + i] / (PetscReal)s->layout->N;
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, mean, p, MPIU_REAL, MPIU_SUM, s->layout->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void KRRSamplesShift_Private(const PetscReal mean[], KRRSamples *s)
{
  for (PetscInt f = 0; f < s->p; f++)
    for (PetscInt i = 0; i < s->layout->n; i++) s->x[(size_t)f * s->layout->n + i] -= mean[f];
}

PetscErrorCode KRRSamplesGather_Private(const KRRSamples *s, const PetscScalar v[], PetscScalar all[])
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Allgatherv(v, (PetscMPIInt)s->layout->n, MPIU_SCALAR, all, s->count, s->first, MPIU_SCALAR,
                              s->layout->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the matrix */

/* The features of rank r's columns, p x count[r]: its own, or received into a buffer. Collective. */
static PetscErrorCode PassFeatures(const KRRSamples *s, PetscMPIInt r, PetscReal buffer[], PetscReal **z)
{
  PetscMPIInt rank, length;
  PetscInt entries;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(s->layout->comm, &rank));
  PetscCall(PetscIntMultError(s->count[r], s->p, &entries));
  PetscCall(PetscMPIIntCast(entries, &length));
  *z = r == rank ? s->x : buffer;
  PetscCallMPI(MPI_Bcast(*z, length, MPIU_REAL, r, s->layout->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* A buffer for the largest block. */
static PetscErrorCode CreateBuffer(const KRRSamples *s, PetscReal **buffer)
{
  PetscMPIInt most = 0;

  PetscFunctionBegin;
  for (PetscMPIInt r = 0; r < s->layout->size; r++) most = PetscMax(most, s->count[r]);
  PetscCall(PetscMalloc1((size_t)most * s->p + 1, buffer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRKernelVisit_Private(const KRRKernel *k, KRRVisitor visit, void *ctx)
{
  PetscReal *buffer, *z;

  PetscFunctionBegin;
  PetscCall(CreateBuffer(k->column, &buffer));
  for (PetscMPIInt r = 0; r < k->column->layout->size; r++) {
    const PetscInt n = k->column->count[r];
    PetscCall(PassFeatures(k->column, r, buffer, &z));
    for (PetscInt j = 0; j < n; j += KRR_PIECE) {
      const KRRPiece piece = {z + j, n, k->column->first[r] + j, PetscMin(KRR_PIECE, n - j)};
      for (PetscInt i = 0; i < k->row->layout->n; i++) visit(k, i, &piece, ctx);
    }
  }
  PetscCall(PetscFree(buffer));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The squares are summed as they are, not expanded: nothing cancels, equal samples have K_ij = 1, and K_ij
   and K_ji are the same sum. */
static void FillPiece(const KRRKernel *k, PetscInt i, const KRRPiece *piece, void *ctx)
{
  PetscScalar *const K = k->K + (size_t)i * k->column->layout->N + piece->first;
  PetscReal sum[KRR_PIECE] = {0};

  (void)ctx;
  for (PetscInt f = 0; f < k->row->p; f++) {
    const PetscReal x = k->row->x[(size_t)f * k->row->layout->n + i], gamma = k->gamma[f];
    const PetscReal *const z = piece->z + (size_t)f * piece->stride;
    for (PetscInt j = 0; j < piece->n; j++) sum[j] += gamma * (x - z[j]) * (x - z[j]);
  }
  for (PetscInt j = 0; j < piece->n; j++) K[j] = PetscExpReal(-sum[j]);
}

PetscErrorCode KRRKernelCompute_Private(KRRKernel *k)
{
  const PetscInt m = k->row->layout->n, n = k->column->layout->N;

  PetscFunctionBegin;
  if (!k->K) PetscCall(PetscMalloc1((size_t)m * n + 1, &k->K));
  PetscCall(KRRKernelVisit_Private(k, FillPiece, NULL));
  for (PetscInt i = 0; k->square && i < m; i++) k->K[(size_t)i * n + k->row->layout->rstart + i] = 0;
  PetscCall(PetscLogFlops((5.0 * k->row->p + 1) * (double)m * (double)n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRKernelReset_Private(KRRKernel *k)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(k->K));
  k->computed = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRKernelGetMemory_Private(const KRRKernel *k, PetscLogDouble *bytes)
{
  PetscFunctionBegin;
  *bytes = k->K ? (PetscLogDouble)k->row->layout->n * k->column->layout->N * sizeof(PetscScalar) : 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ products */

/* BLAS sees the rows of K as the columns of its transpose. */

PetscErrorCode KRRKernelMult_Private(const KRRKernel *k, const PetscScalar all[], PetscScalar y[])
{
  const PetscScalar one = 1, zero = 0;
  const PetscBLASInt stride = 1;
  PetscBLASInt m, n;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(k->row->layout->n, &m));
  PetscCall(PetscBLASIntCast(k->column->layout->N, &n));
  if (m) PetscCallBLAS("BLASgemv", BLASgemv_("T", &n, &m, &one, k->K, &n, all, &stride, &zero, y, &stride));
  PetscCall(PetscLogFlops(2.0 * m * n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRKernelMultTranspose_Private(const KRRKernel *k, const PetscScalar v[], PetscScalar y[])
{
  const PetscScalar one = 1, zero = 0;
  const PetscBLASInt stride = 1;
  PetscBLASInt m, n;
  PetscScalar *sum;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(k->row->layout->n, &m));
  PetscCall(PetscBLASIntCast(k->column->layout->N, &n));
  PetscCall(PetscCalloc1(n, &sum));
  if (m) PetscCallBLAS("BLASgemv", BLASgemv_("N", &n, &m, &one, k->K, &n, v, &stride, &zero, sum, &stride));
  PetscCallMPI(MPI_Reduce_scatter(sum, y, k->column->count, MPIU_SCALAR, MPIU_SUM, k->column->layout->comm));
  PetscCall(PetscFree(sum));
  PetscCall(PetscLogFlops(2.0 * m * n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRKernelMultFeatures_Private(const KRRKernel *k, const PetscScalar all[], PetscScalar G[])
{
  const KRRSamples *const s = k->column;
  const PetscScalar one = 1;
  PetscBLASInt m, n, p;
  PetscReal *buffer, *z;
  PetscScalar *Z; /* block of w * z, feature after feature */

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(k->row->layout->n, &m));
  PetscCall(PetscBLASIntCast(s->layout->N, &n));
  PetscCall(PetscBLASIntCast(s->p, &p));
  PetscCall(CreateBuffer(s, &buffer));
  PetscCall(CreateBuffer(s, &Z));
  PetscCall(PetscArrayzero(G, (size_t)m * p));
  for (PetscMPIInt r = 0; r < s->layout->size; r++) {
    const PetscBLASInt block = s->count[r];
    PetscCall(PassFeatures(s, r, buffer, &z));
    for (PetscInt f = 0; f < p; f++)
      for (PetscInt j = 0; j < block; j++)
        Z[(size_t)f * block + j] = all[s->first[r] + j] * z[(size_t)f * block + j];
    if (m && block)
      PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &p, &m, &block, &one, Z, &block, k->K + s->first[r], &n,
                                          &one, G, &p));
  }
  PetscCall(PetscFree(buffer));
  PetscCall(PetscFree(Z));
  PetscCall(PetscLogFlops(2.0 * m * n * p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The squares of D_k expanded:
   (K * D_k) w = x_.k^2 * (K w) - 2 x_.k * (K (w * z_.k)) + K (w * z_.k^2)                 (*: by entries) */

PetscErrorCode KRRKernelMultDirection_Private(const KRRKernel *k, const PetscReal u[], const PetscScalar w[],
                                              const PetscScalar Kw[], const PetscScalar G[], PetscScalar y[])
{
  const PetscInt m = k->row->layout->n, n = k->column->layout->n, p = k->row->p;
  PetscScalar *q, *all;

  PetscFunctionBegin;
  PetscCall(PetscCalloc2(n, &q, k->column->layout->N, &all));
  for (PetscInt f = 0; f < p; f++) {
    const PetscReal *const z = k->column->x + (size_t)f * n;
    for (PetscInt j = 0; j < n; j++) q[j] -= u[f] * z[j] * z[j] * w[j];
  }
  PetscCall(KRRSamplesGather_Private(k->column, q, all));
  PetscCall(KRRKernelMult_Private(k, all, y));
  for (PetscInt f = 0; f < p; f++) {
    const PetscReal *const x = k->row->x + (size_t)f * m;
    for (PetscInt i = 0; i < m; i++) y[i] += u[f] * x[i] * (2 * G[(size_t)i * p + f] - x[i] * Kw[i]);
  }
  PetscCall(PetscFree2(q, all));
  PetscCall(PetscLogFlops((6.0 * m + 4.0 * n) * p));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode KRRKernelGradient_Private(const KRRKernel *k, const PetscScalar v[], const PetscScalar w[],
                                         const PetscScalar Kw[], const PetscScalar G[],
                                         const PetscScalar Ktv[], PetscReal g[])
{
  const PetscInt m = k->row->layout->n, n = k->column->layout->n;
  PetscMPIInt p;

  PetscFunctionBegin;
  PetscCall(PetscMPIIntCast(k->row->p, &p));
  for (PetscInt f = 0; f < p; f++) {
    const PetscReal *const x = k->row->x + (size_t)f * m, *const z = k->column->x + (size_t)f * n;
    PetscReal sum = 0;
    for (PetscInt i = 0; i < m; i++) sum += v[i] * x[i] * (2 * G[(size_t)i * p + f] - x[i] * Kw[i]);
    for (PetscInt j = 0; j < n; j++) sum -= Ktv[j] * z[j] * z[j] * w[j];
    g[f] = sum;
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, g, p, MPIU_REAL, MPIU_SUM, k->row->layout->comm));
  PetscCall(PetscLogFlops((6.0 * m + 4.0 * n) * p));
  PetscFunctionReturn(PETSC_SUCCESS);
}
