/* The states of samples that are fixed points: every product is one of matrices, by BLAS, over all samples of
   this rank or over so many of them that what follows finds their states in the cache. */
#include "equilibrium.h"
/* after PETSc's own */
#include <petscblaslapack.h>

PetscErrorCode EquilibriumGemm_Private(const char ta[], const char tb[], PetscInt m, PetscInt n, PetscInt k,
                                       const PetscReal A[], PetscInt lda, const PetscReal B[], PetscInt ldb,
                                       PetscReal beta, PetscReal C[], PetscInt ldc)
{
  const PetscReal one = 1;
  PetscBLASInt bm, bn, bk, a, b, c;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(m, &bm));
  PetscCall(PetscBLASIntCast(n, &bn));
  PetscCall(PetscBLASIntCast(k, &bk));
  PetscCall(PetscBLASIntCast(lda, &a));
  PetscCall(PetscBLASIntCast(ldb, &b));
  PetscCall(PetscBLASIntCast(ldc, &c));
  PetscCallBLAS("BLASgemm", BLASgemm_(ta, tb, &bm, &bn, &bk, &one, A, &a, B, &b, &beta, C, &c));
  PetscCall(PetscLogFlops(2.0 * (double)m * (double)n * (double)k));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ samples */

PetscErrorCode EquilibriumSamplesCreate_Private(const Equilibrium *eq, DataSet ds, EquilibriumSamples *s)
{
  const PetscInt *rowptr, *col, *label;
  const PetscScalar *val;
  const PetscInt p = eq->p;
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(DataSetGetRows(ds, &nlocal, &rowptr, &col, &val, &label));
  PetscCall(PetscLayoutCreate(PetscObjectComm((PetscObject)ds), &s->layout));
  PetscCall(PetscLayoutSetLocalSize(s->layout, nlocal));
  PetscCall(PetscLayoutSetUp(s->layout));
  PetscCall(PetscCalloc1((size_t)nlocal * (size_t)p + 1, &s->x));
  PetscCall(PetscMalloc1(nlocal + 1, &s->label));
  PetscCall(PetscArraycpy(s->label, label, nlocal));
  for (PetscInt i = 0; i < nlocal; i++)
    for (PetscInt k = rowptr[i]; k < rowptr[i + 1]; k++)
      s->x[(size_t)i * (size_t)p + (size_t)(eq->cell ? eq->cell[col[k]] : col[k])] += eq->share * val[k];
  s->change = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumSamplesDestroy_Private(EquilibriumSamples *s)
{
  PetscFunctionBegin;
  PetscCall(PetscLayoutDestroy(&s->layout));
  PetscCall(PetscFree(s->x));
  PetscCall(PetscFree(s->label));
  PetscCall(PetscFree(s->drive));
  s->change = 0;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumSpread_Private(const Equilibrium *eq, PetscInt n, const PetscReal c[],
                                         PetscReal z[])
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < n * (eq->h / eq->nc); i++)
    PetscCall(PetscArraycpy(z + (size_t)i * (size_t)eq->nc, c, eq->nc));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* B x + c, once for each lambda. */
static PetscErrorCode UpdateDrive(const Equilibrium *eq, EquilibriumSamples *s)
{
  const PetscInt n = s->layout->n;

  PetscFunctionBegin;
  if (s->change == eq->change) PetscFunctionReturn(PETSC_SUCCESS);
  if (!s->drive) PetscCall(PetscMalloc1((size_t)n * (size_t)eq->h + 1, &s->drive));
  PetscCall(EquilibriumSpread_Private(eq, n, EquilibriumShift_Private(eq, eq->all), s->drive));
  PetscCall((*eq->layer->B)(eq, n, EquilibriumB_Private(eq, eq->all), s->x, 1, s->drive));
  s->change = eq->change;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the map */

/* z <- tanh(A w + drive) of a few samples, all three arrays theirs. */
static PetscErrorCode Activate(const Equilibrium *eq, PetscInt rows, const PetscReal drive[],
                               const PetscReal w[], PetscReal z[])
{
  PetscFunctionBegin;
  PetscCall(PetscArraycpy(z, drive, (size_t)rows * (size_t)eq->h));
  PetscCall((*eq->layer->A)(eq, rows, eq->all, w, 1, z));
  TwofoldTangents(rows * eq->h, z);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumStep_Private(Equilibrium *eq, EquilibriumSamples *s, const PetscReal w[],
                                       PetscReal y[])
{
  const PetscInt n = s->layout->n;

  PetscFunctionBegin;
  PetscCall(UpdateDrive(eq, s));
  for (PetscInt i = 0; i < n; i += eq->nfew) {
    const PetscInt rows = PetscMin(eq->nfew, n - i);
    const size_t at = (size_t)i * (size_t)eq->h;
    PetscCall(Activate(eq, rows, s->drive + at, w + at, y + at));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The states do not see one another: all steps of a few samples, which stay in the cache, then the next few.
 */
PetscErrorCode EquilibriumSteps_Private(Equilibrium *eq, EquilibriumSamples *s, PetscInt steps, PetscReal w[])
{
  const PetscInt n = s->layout->n;

  PetscFunctionBegin;
  PetscCall(UpdateDrive(eq, s));
  for (PetscInt i = 0; i < n && steps > 0; i += eq->nfew) {
    const PetscInt rows = PetscMin(eq->nfew, n - i);
    const size_t at = (size_t)i * (size_t)eq->h;
    const PetscReal *now = w + at;
    for (PetscInt t = 0; t < steps; t++) {
      PetscCall(Activate(eq, rows, s->drive + at, now, eq->few[t % 2]));
      now = eq->few[t % 2];
    }
    PetscCall(PetscArraycpy(w + at, now, (size_t)rows * (size_t)eq->h));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumSlope_Private(Equilibrium *eq, EquilibriumSamples *s, const PetscReal w[],
                                        PetscReal D[])
{
  const PetscInt n = s->layout->n;

  PetscFunctionBegin;
  PetscCall(UpdateDrive(eq, s));
  for (PetscInt i = 0; i < n; i += eq->nfew) {
    const PetscInt rows = PetscMin(eq->nfew, n - i);
    const size_t at = (size_t)i * (size_t)eq->h;
    PetscReal *const z = D + at;
    PetscCall(Activate(eq, rows, s->drive + at, w + at, z));
    for (PetscInt k = 0; k < rows * eq->h; k++) z[k] = (1 - z[k]) * (1 + z[k]);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumSolve_Private(Equilibrium *eq, EquilibriumSamples *s, PetscReal w[])
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(w, (size_t)s->layout->n * (size_t)eq->h));
  PetscCall(EquilibriumSteps_Private(eq, s, eq->steps, w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ its derivative */

/* y <- D * v */
static void Scale(PetscInt n, const PetscReal D[], const PetscReal v[], PetscReal y[])
{
  for (PetscInt k = 0; k < n; k++) y[k] = D[k] * v[k];
}

PetscErrorCode EquilibriumMult_Private(Equilibrium *eq, PetscInt n, const PetscReal v[], PetscReal y[])
{
  const PetscInt h = eq->h;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i += eq->nfew) {
    const PetscInt rows = PetscMin(eq->nfew, n - i);
    const size_t at = (size_t)i * (size_t)h;
    PetscCall((*eq->layer->A)(eq, rows, eq->at.A, v + at, 0, y + at));
    Scale(rows * h, eq->at.D + at, y + at, y + at);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumMultTranspose_Private(Equilibrium *eq, PetscInt n, const PetscReal v[],
                                                PetscReal y[])
{
  const PetscInt h = eq->h;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i += eq->nfew) {
    const PetscInt rows = PetscMin(eq->nfew, n - i);
    const size_t at = (size_t)i * (size_t)h;
    Scale(rows * h, eq->at.D + at, v + at, eq->few[0]);
    PetscCall((*eq->layer->AT)(eq, rows, eq->at.A, eq->few[0], 0, y + at));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode EquilibriumAdjointSteps_Private(Equilibrium *eq, PetscInt n, const PetscReal b[],
                                               PetscInt steps, PetscReal v[])
{
  const PetscInt h = eq->h;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n && steps > 0; i += eq->nfew) {
    const PetscInt rows = PetscMin(eq->nfew, n - i);
    const size_t at = (size_t)i * (size_t)h;
    const PetscReal *now = v + at;
    for (PetscInt k = 0; k < steps; k++) {
      Scale(rows * h, eq->at.D + at, now, eq->few[0]);
      PetscCall(PetscArraycpy(eq->few[1], b + at, (size_t)rows * (size_t)h));
      PetscCall((*eq->layer->AT)(eq, rows, eq->at.A, eq->few[0], 1, eq->few[1]));
      now = eq->few[1];
    }
    PetscCall(PetscArraycpy(v + at, now, (size_t)rows * (size_t)h));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ normal equations */

/* What a step does before its products, of n numbers: t <- p, and scaled <- -D * p beside. */
static void Advance(PetscInt n, const BLPNormalStep *step, const PetscReal D[], PetscReal v[], PetscReal r[],
                    PetscReal p[], const PetscReal z[], PetscReal t[], PetscReal scaled[])
{
  const PetscReal alpha = step->alpha, beta = step->beta;

  if (alpha != 0) {
    for (PetscInt k = 0; k < n; k++) {
      const PetscReal residual = r[k] - alpha * z[k], direction = residual + beta * p[k];
      v[k] += alpha * p[k];
      r[k] = residual;
      p[k] = t[k] = direction;
      scaled[k] = -D[k] * direction;
    }
    return;
  }
  for (PetscInt k = 0; k < n; k++) {
    p[k] = t[k] = beta == 0 ? r[k] : r[k] + beta * p[k];
    scaled[k] = -D[k] * p[k];
  }
}

/* z <- t - D * z, of n numbers, and sums with it. */
static void Finish(PetscInt n, const PetscReal D[], const PetscReal r[], const PetscReal t[], PetscReal z[],
                   BLPNormalStep *step)
{
  PetscReal rz = 0, zz = 0;

#pragma omp simd reduction(+ : rz, zz)
  for (PetscInt k = 0; k < n; k++) {
    z[k] = t[k] - D[k] * z[k];
    rz += r[k] * z[k];
    zz += z[k] * z[k];
  }
  step->rz += rz;
  step->zz += zz;
}

static PetscReal Square(PetscInt n, const PetscReal x[])
{
  PetscReal sum = 0;

#pragma omp simd reduction(+ : sum)
  for (PetscInt k = 0; k < n; k++) sum += x[k] * x[k];
  return sum;
}

PetscErrorCode EquilibriumNormalStep_Private(Equilibrium *eq, PetscInt n, BLPNormalStep *step, PetscReal v[],
                                             PetscReal r[], PetscReal p[], PetscReal z[])
{
  const PetscInt h = eq->h;
  PetscReal *const t = eq->few[1];

  PetscFunctionBegin;
  step->rr = step->curvature = step->rz = step->zz = 0;
  for (PetscInt i = 0; i < n; i += eq->nfew) {
    const PetscInt rows = PetscMin(eq->nfew, n - i);
    const size_t at = (size_t)i * (size_t)h;
    const PetscReal *const D = eq->at.D + at;
    Advance(rows * h, step, D, v + at, r + at, p + at, z + at, t, eq->few[0]);
    PetscCall((*eq->layer->AT)(eq, rows, eq->at.A, eq->few[0], 1, t)); /* p - A^T (D * p) */
    step->rr += Square(rows * h, r + at);
    step->curvature += Square(rows * h, t);
    if (step->last) continue;
    PetscCall((*eq->layer->A)(eq, rows, eq->at.A, t, 0, z + at));
    Finish(rows * h, D, r + at, t, z + at, step);
  }
  PetscCall(PetscLogFlops(17.0 * (double)n * (double)h));
  PetscFunctionReturn(PETSC_SUCCESS);
}
