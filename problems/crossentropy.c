/* Cross-entropies of rows of outputs, and what is made of them: see crossentropy.h. */
#include "crossentropy.h"

PetscErrorCode CrossEntropyBegin(FeatureMat X, PetscBool count, CrossEntropy *out)
{
  PetscInt n;

  PetscFunctionBegin;
  *out = (CrossEntropy){.count = count};
  PetscCall(FeatureMatGetSizes(X, &n, NULL, &out->c));
  PetscCall(FeatureMatGetLabels(X, NULL, &out->label));
  out->n = (PetscReal)n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ rows */

/* z <- z - max z */
static inline void ShiftRow(PetscInt c, PetscScalar z[])
{
  PetscReal highest = z[0];

#pragma omp simd reduction(max : highest)
  for (PetscInt k = 1; k < c; k++) highest = z[k] > highest ? z[k] : highest;
  for (PetscInt k = 0; k < c; k++) z[k] -= highest;
}

/* Whether the first largest entry of a shifted row is that of its label. */
static inline PetscBool IsRight(const PetscScalar z[], PetscInt label)
{
  for (PetscInt k = 0; k < label; k++)
    if (z[k] == 0) return PETSC_FALSE;
  return (PetscBool)(z[label] == 0);
}

/* z <- z / sum z; the sum. */
static inline PetscReal NormaliseRow(PetscInt c, PetscScalar z[])
{
  PetscReal sum = 0;

#pragma omp simd reduction(+ : sum)
  for (PetscInt k = 0; k < c; k++) sum += z[k];
  const PetscReal factor = 1 / sum;
  for (PetscInt k = 0; k < c; k++) z[k] *= factor;
  return sum;
}

/* A few rows, which stay in the cache from pass to pass: as CrossEntropySoftmaxRows(). */
static void SoftmaxFew(CrossEntropy *out, PetscInt first, PetscInt rows, PetscScalar z[])
{
  const PetscInt c = out->c, *const label = out->label + first;
  const PetscReal *const weight = out->weight ? out->weight + first : NULL;

  for (PetscInt i = 0; i < rows; i++) {
    ShiftRow(c, z + i * c);
    if (label[i] >= c) continue;
    out->loss -= (weight ? weight[i] : 1) * z[i * c + label[i]];
    out->nknown += 1;
    if (out->count && IsRight(z + i * c, label[i])) out->right += 1;
  }
  TwofoldExponentials(rows * c, z);
  for (PetscInt i = 0; i < rows; i++) {
    const PetscReal sum = NormaliseRow(c, z + i * c);
    if (label[i] < c) out->loss += (weight ? weight[i] : 1) * PetscLogReal(sum);
  }
}

/* Adds cross-entropies logsumexp(z) - z_label, and right answers where asked for. */
PetscErrorCode CrossEntropySoftmaxRows(void *ctx, PetscInt first, PetscInt rows, PetscScalar z[])
{
  CrossEntropy *const out = (CrossEntropy *)ctx;
  const PetscInt few = PetscMax(1, 2048 / out->c);

  PetscFunctionBegin;
  for (PetscInt i = 0; i < rows; i += few)
    SoftmaxFew(out, first + i, PetscMin(few, rows - i), z + i * out->c);
  PetscCall(PetscLogFlops(5.0 * (double)rows * (double)out->c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CrossEntropyGradientRows(void *ctx, PetscInt first, PetscInt rows, PetscScalar z[])
{
  const CrossEntropy *const out = (CrossEntropy *)ctx;

  PetscFunctionBegin;
  PetscCall(CrossEntropySoftmaxRows(ctx, first, rows, z));
  for (PetscInt i = 0; i < rows; i++) {
    const PetscReal scale = (out->weight ? out->weight[first + i] : 1) / out->n;
    PetscScalar *const row = z + i * out->c;
    row[out->label[first + i]] -= 1;
    for (PetscInt k = 0; k < out->c; k++) row[k] *= scale;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CrossEntropyHessianRows(void *ctx, PetscInt first, PetscInt rows, PetscScalar z[])
{
  const CrossEntropyPoint *const at = (const CrossEntropyPoint *)ctx;
  const PetscInt c = at->c;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < rows; i++) {
    const PetscReal scale = (at->weight ? at->weight[first + i] : 1) / at->n;
    const PetscScalar *const pi = at->P + (first + i) * c;
    PetscScalar *const zi = z + i * c;
    PetscReal mean = 0;
#pragma omp simd reduction(+ : mean)
    for (PetscInt k = 0; k < c; k++) mean += pi[k] * zi[k];
    for (PetscInt k = 0; k < c; k++) zi[k] = scale * pi[k] * (zi[k] - mean);
  }
  PetscCall(PetscLogFlops(5.0 * (double)rows * (double)c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ sets of samples */

PetscErrorCode CrossEntropyOutputs(FeatureMat X, Vec w, Vec Z, CrossEntropy *out)
{
  PetscFunctionBegin;
  PetscCall(FeatureMatMult(X, w, Z));
  PetscCall(FeatureMatMapRows_Private(X, CrossEntropySoftmaxRows, out, Z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CrossEntropyMean(FeatureMat X, Vec w, Vec Z, CrossEntropy *out, PetscReal *loss, Vec g)
{
  PetscFunctionBegin;
  if (g)
    PetscCall(FeatureMatMultThrough_Private(X, w, CrossEntropyGradientRows, out, Z, g));
  else
    PetscCall(CrossEntropyOutputs(X, w, Z, out));
  if (!loss) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(
      MPIU_Allreduce(MPI_IN_PLACE, &out->loss, 1, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)Z)));
  *loss = out->loss / out->n;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CrossEntropyMeasure(FeatureMat X, Vec w, Vec Z, CrossEntropy *out, BLPMetrics *metrics)
{
  PetscFunctionBegin;
  PetscCall(CrossEntropyOutputs(X, w, Z, out));
  PetscReal sums[] = {out->loss, out->right, out->nknown};
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, sums, 3, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)Z)));
  metrics->n = (PetscInt)sums[2];
  metrics->loss = metrics->n ? sums[0] / sums[2] : NAN;
  metrics->accuracy = metrics->n ? sums[1] / sums[2] : NAN;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CrossEntropyPredict(BLP blp, DataSet ds, PetscInt rows, PetscInt c, PetscBool bias, Vec w,
                                   Vec *Z, BLPMetrics *metrics)
{
  FeatureMat X;
  CrossEntropy out;

  PetscFunctionBegin;
  PetscCall(BLPCreateFeatureMat_Private(blp, ds, rows, c, bias, &X));
  PetscCall(FeatureMatCreateVecs(X, NULL, Z));
  PetscCall(CrossEntropyBegin(X, PETSC_TRUE, &out));
  PetscCall(CrossEntropyMeasure(X, w, *Z, &out, metrics));
  PetscCall(FeatureMatDestroy(&X));
  PetscFunctionReturn(PETSC_SUCCESS);
}
