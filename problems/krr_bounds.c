/* Constants of krr (see the head of krr.c), from sums over all pairs of samples. They are bounds in exact
   arithmetic. No entry of a kernel matrix is negative: such an A has ||A|| <= sqrt(largest row sum x largest
   column sum) and ||A|| <= ||A||_F, and a B with |B_ij| <= A_ij has ||B|| <= ||A||. */
#include "krr.h"
#include <petscblaslapack.h>

static PetscErrorCode Maximum(const KRRKernel *k, PetscInt n, const PetscReal a[], PetscReal *most)
{
  PetscFunctionBegin;
  *most = 0;
  for (PetscInt i = 0; i < n; i++) *most = PetscMax(*most, a[i]);
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, most, 1, MPIU_REAL, MPIU_MAX, k->row->layout->comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ sums of rows */

/* The largest sum of a row of K, and its row: the first one where there are several. */
static PetscErrorCode GetRowSum(const KRRKernel *k, PetscReal *sum, PetscInt *row)
{
  const MPI_Comm comm = k->row->layout->comm;
  const PetscInt m = k->row->layout->n, n = k->column->layout->N;
  PetscReal most = -1;
  PetscInt where = PETSC_MAX_INT;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < m; i++) {
    PetscReal of_row = 0;
    for (PetscInt j = 0; j < n; j++) of_row += k->K[(size_t)i * n + j];
    if (of_row > most) {
      most = of_row;
      where = k->row->layout->rstart + i;
    }
  }
  PetscCall(MPIU_Allreduce(&most, sum, 1, MPIU_REAL, MPIU_MAX, comm));
  if (most < *sum) where = PETSC_MAX_INT;
  PetscCall(MPIU_Allreduce(&where, row, 1, MPIU_INT, MPI_MIN, comm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g_k = the sum of row `row` of dK_k. K is symmetric: each rank has its rows' entries in column `row`. */
static PetscErrorCode GetRowSumGradient(const KRRKernel *k, PetscInt row, PetscReal g[])
{
  const MPI_Comm comm = k->row->layout->comm;
  const PetscInt m = k->row->layout->n, n = k->column->layout->N, at = row - k->row->layout->rstart;
  PetscMPIInt p;
  PetscReal *z;

  PetscFunctionBegin;
  PetscCall(PetscMPIIntCast(k->row->p, &p));
  PetscCall(PetscCalloc1(p, &z));
  if (at >= 0 && at < m)
    for (PetscInt f = 0; f < p; f++) z[f] = k->row->x[(size_t)f * m + at];
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, z, p, MPIU_REAL, MPIU_SUM, comm));
  for (PetscInt f = 0; f < p; f++) {
    const PetscReal *const x = k->row->x + (size_t)f * m;
    g[f] = 0;
    for (PetscInt i = 0; i < m; i++) g[f] -= k->K[(size_t)i * n + row] * (x[i] - z[f]) * (x[i] - z[f]);
  }
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, g, p, MPIU_REAL, MPIU_SUM, comm));
  PetscCall(PetscFree(z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ norms */

/* ||K||. Collatz and Wielandt: the largest eigenvalue of A = K^T K is at most max_j (A z)_j / z_j for any z >
   0; a few steps of the power method bring z near the eigenvector and the bound near the eigenvalue. */
static PetscErrorCode GetNorm(const KRRKernel *k, PetscReal *norm)
{
  const PetscInt m = k->row->layout->n, n = k->column->layout->n;
  PetscReal square = PETSC_INFINITY;
  PetscScalar *z, *Az, *Kz, *all;

  PetscFunctionBegin;
  PetscCall(PetscMalloc4(n, &z, n, &Az, m, &Kz, k->column->layout->N, &all));
  for (PetscInt j = 0; j < n; j++) z[j] = 1;
  for (int step = 0; step < 8; step++) {
    PetscReal most, ratio;
    PetscCall(KRRSamplesGather_Private(k->column, z, all));
    PetscCall(KRRKernelMult_Private(k, all, Kz));
    PetscCall(KRRKernelMultTranspose_Private(k, Kz, Az));
    for (PetscInt j = 0; j < n; j++) z[j] = Az[j] / z[j];
    PetscCall(Maximum(k, n, z, &ratio));
    square = PetscMin(square, ratio);
    PetscCall(Maximum(k, n, Az, &most));
    if (!(most > 0)) break;
    for (PetscInt j = 0; j < n; j++) z[j] = PetscMax(Az[j] / most, 1e-6);
  }
  *norm = PetscSqrtReal(square);
  PetscCall(PetscFree4(z, Az, Kz, all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* M_ij = K_ij ||(c_k D_ijk)_k||: by Cauchy-Schwarz |sum_k u_k c_k dK_ijk| <= M_ij. */
typedef struct {
  const PetscReal *c;
  PetscReal *row, *column; /* sums of this rank's rows, and of all columns over these */
  PetscReal squares;
} Magnitude;

static void AddMagnitude(const KRRKernel *k, PetscInt i, const KRRPiece *piece, void *ctx)
{
  Magnitude *const M = ctx;
  const PetscScalar *const K = k->K + (size_t)i * k->column->layout->N + piece->first;
  PetscReal *const column = M->column + piece->first;
  PetscReal sum[KRR_PIECE] = {0};

  for (PetscInt f = 0; f < k->row->p; f++) {
    const PetscReal x = k->row->x[(size_t)f * k->row->layout->n + i], c = M->c[f];
    const PetscReal *const z = piece->z + (size_t)f * piece->stride;
    for (PetscInt j = 0; j < piece->n; j++) {
      const PetscReal term = c * (x - z[j]) * (x - z[j]);
      sum[j] += term * term;
    }
  }
  for (PetscInt j = 0; j < piece->n; j++) {
    const PetscReal entry = K[j] * PetscSqrtReal(sum[j]);
    M->row[i] += entry;
    column[j] += entry;
    M->squares += entry * entry;
  }
}

/* sup of ||sum_k u_k c_k dK_k|| over unit u */
static PetscErrorCode GetDerivativeNorm(const KRRKernel *k, const PetscReal c[], PetscReal *norm)
{
  const MPI_Comm comm = k->row->layout->comm;
  const PetscInt m = k->row->layout->n, n = k->column->layout->N;
  Magnitude M = {.c = c};
  PetscReal in_row, in_column;
  PetscMPIInt length;

  PetscFunctionBegin;
  PetscCall(PetscMPIIntCast(n, &length));
  PetscCall(PetscCalloc2(m, &M.row, n, &M.column));
  PetscCall(KRRKernelVisit_Private(k, AddMagnitude, &M));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, M.column, length, MPIU_REAL, MPIU_SUM, comm));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &M.squares, 1, MPIU_REAL, MPIU_SUM, comm));
  PetscCall(Maximum(k, m, M.row, &in_row));
  PetscCall(Maximum(k, n, M.column, &in_column));
  *norm = PetscSqrtReal(PetscMin(in_row * in_column, M.squares));
  PetscCall(PetscFree2(M.row, M.column));
  PetscCall(PetscLogFlops((6.0 * k->row->p + 6) * (double)m * (double)n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ derivatives times a vector */

/* B_if = -c_f sum_j K_ij (x_if - z_jf)^2 w_j, not expanded: what is a bound must not be the rest of a
   cancellation. */
typedef struct {
  const PetscReal *c;
  const PetscScalar *all;
  PetscScalar *B; /* rows x p, one feature after the other */
} Product;

static void AddProduct(const KRRKernel *k, PetscInt i, const KRRPiece *piece, void *ctx)
{
  Product *const product = ctx;
  const PetscInt m = k->row->layout->n, n = piece->n;
  const PetscScalar *const K = k->K + (size_t)i * k->column->layout->N + piece->first;
  const PetscScalar *const w = product->all + piece->first;
  PetscReal weight[KRR_PIECE];

  for (PetscInt j = 0; j < n; j++) weight[j] = K[j] * w[j];
  for (PetscInt f = 0; f < k->row->p; f++) {
    const PetscReal x = k->row->x[(size_t)f * m + i];
    const PetscReal *const z = piece->z + (size_t)f * piece->stride;
    PetscReal sum[4] = {0, 0, 0, 0}; /* independent, so that they can run beside one another */
    PetscInt j = 0;
    for (; j + 4 <= n; j += 4)
      for (PetscInt l = 0; l < 4; l++) sum[l] += weight[j + l] * (x - z[j + l]) * (x - z[j + l]);
    for (; j < n; j++) sum[0] += weight[j] * (x - z[j]) * (x - z[j]);
    product->B[(size_t)f * m + i] -= product->c[f] * (sum[0] + sum[1] + sum[2] + sum[3]);
  }
}

/* The largest singular value of B, rows x columns one after the other on each rank, from its Gram matrix; of
   many columns, or where it is not finite, ||B||_F. */
static PetscErrorCode LargestSingularValue(MPI_Comm comm, PetscInt rows, PetscInt columns,
                                           const PetscScalar B[], PetscReal *norm)
{
  enum { most_columns = 1000 };
  const PetscScalar one = 1, zero = 0;
  PetscBLASInt m, q, lwork, info, ld;
  PetscScalar *gram, *work;
  PetscReal squares = 0, *e;

  PetscFunctionBegin;
  for (size_t i = 0; i < (size_t)rows * columns; i++) squares += B[i] * B[i];
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &squares, 1, MPIU_REAL, MPIU_SUM, comm));
  *norm = PetscSqrtReal(squares);
  if (columns > most_columns || PetscIsInfOrNanReal(squares)) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscBLASIntCast(rows, &m));
  PetscCall(PetscBLASIntCast(columns, &q));
  ld = PetscMax(m, 1);
  lwork = 3 * q;
  PetscCall(PetscCalloc3((size_t)q * q, &gram, lwork, &work, q, &e));
  if (m) PetscCallBLAS("BLASgemm", BLASgemm_("T", "N", &q, &q, &m, &one, B, &ld, B, &ld, &zero, gram, &q));
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, gram, (PetscMPIInt)(q * q), MPIU_SCALAR, MPIU_SUM, comm));
  PetscCallBLAS("LAPACKsyev", LAPACKsyev_("N", "U", &q, gram, &q, e, work, &lwork, &info));
  PetscCheck(!info, comm, PETSC_ERR_LIB, "syev: info %d", (int)info);
  *norm = PetscSqrtReal(PetscMax(e[q - 1], 0));
  PetscCall(PetscFree3(gram, work, e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||[c_0 w, c_1 dK_1 w, .., c_p dK_p w]||; c_0 = 0 unless K is square. */
static PetscErrorCode GetProductNorm(const KRRKernel *k, PetscReal c0, const PetscReal c[],
                                     const PetscScalar w[], const PetscScalar all[], PetscReal *norm)
{
  const PetscInt m = k->row->layout->n, p = k->row->p;
  Product product = {.c = c, .all = all};
  PetscScalar *B;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1((size_t)m * (p + 1) + 1, &B));
  product.B = B + m;
  for (PetscInt i = 0; c0 > 0 && i < m; i++) B[i] = c0 * w[i];
  PetscCall(KRRKernelVisit_Private(k, AddProduct, &product));
  PetscCall(LargestSingularValue(k->row->layout->comm, m, p + 1, B, norm));
  PetscCall(PetscFree(B));
  PetscCall(PetscLogFlops((4.0 * p + 1) * (double)m * (double)k->column->layout->N));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ constants */

PetscErrorCode BLPStrongConvexity_KRR(BLP blp, Vec lambda, TwofoldConstant *mu)
{
  KRR *krr = (KRR *)blp->data;

  PetscFunctionBegin;
  PetscCall(KRRUpdate_Private(blp, BLP_TRAIN, lambda));
  mu->standing = TWOFOLD_PROVED;
  mu->value = krr->at[0];
  mu->origin = "beta";
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPStrongConvexityGradient_KRR(BLP blp, Vec lambda, Vec g)
{
  KRR *krr = (KRR *)blp->data;
  PetscReal *all;

  PetscFunctionBegin;
  PetscCall(KRRUpdate_Private(blp, BLP_TRAIN, lambda));
  PetscCall(PetscCalloc1(krr->p + 1, &all));
  all[0] = 1;
  PetscCall(KRRSetGradient_Private(krr, all, g));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSmoothness_KRR(BLP blp, Vec lambda, TwofoldConstant *L)
{
  KRR *krr = (KRR *)blp->data;
  PetscReal sum;
  PetscInt row;

  PetscFunctionBegin;
  PetscCall(KRRUpdate_Private(blp, BLP_TRAIN, lambda));
  PetscCall(GetRowSum(&krr->kernel[BLP_TRAIN], &sum, &row));
  L->standing = TWOFOLD_PROVED;
  L->value = krr->at[0] + 1 + sum;
  L->origin = "beta + the largest sum of a row of K";
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPSmoothnessGradient_KRR(BLP blp, Vec lambda, Vec g)
{
  KRR *krr = (KRR *)blp->data;
  PetscReal sum, *all;
  PetscInt row;

  PetscFunctionBegin;
  PetscCall(KRRUpdate_Private(blp, BLP_TRAIN, lambda));
  PetscCall(GetRowSum(&krr->kernel[BLP_TRAIN], &sum, &row));
  PetscCall(PetscMalloc1(krr->p + 1, &all));
  all[0] = 1;
  PetscCall(GetRowSumGradient(&krr->kernel[BLP_TRAIN], row, all + 1));
  PetscCall(KRRSetGradient_Private(krr, all, g));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||r|| at w, and the norms of C(w) and C'(w). */
typedef struct {
  PetscReal residual, C, C_val;
} Centre;

static PetscErrorCode MeasureCentre(BLP blp, Vec lambda, Vec w, Centre *centre)
{
  KRR *krr = (KRR *)blp->data;
  const PetscInt n = krr->set[BLP_VAL].layout->n;
  const PetscScalar *a;
  PetscScalar *Kw, *r;
  PetscReal sum = 0;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(n, &Kw, n, &r));
  PetscCall(KRRResiduals_Private(blp, BLP_VAL, lambda, w, Kw, r));
  for (PetscInt i = 0; i < n; i++) sum += r[i] * r[i];
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPIU_SUM, PetscObjectComm((PetscObject)blp)));
  centre->residual = PetscSqrtReal(sum);
  PetscCall(PetscFree2(Kw, r));
  PetscCall(VecGetArrayRead(w, &a));
  PetscCall(GetProductNorm(&krr->kernel[BLP_TRAIN], krr->s[0], krr->s + 1, a, krr->all, &centre->C));
  PetscCall(GetProductNorm(&krr->kernel[BLP_VAL], 0, krr->s + 1, a, krr->all, &centre->C_val));
  PetscCall(VecRestoreArrayRead(w, &a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static TwofoldConstant Proved(PetscReal value, const char origin[])
{
  return (TwofoldConstant){.standing = TWOFOLD_PROVED, .value = value, .origin = origin};
}

/* What does not depend on w, once a lambda. */
static PetscErrorCode UpdateBounds(KRR *krr)
{
  PetscFunctionBegin;
  if (krr->bounds.computed == krr->changes) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(GetDerivativeNorm(&krr->kernel[BLP_TRAIN], krr->s + 1, &krr->bounds.B));
  PetscCall(GetDerivativeNorm(&krr->kernel[BLP_VAL], krr->s + 1, &krr->bounds.B_val));
  PetscCall(GetNorm(&krr->kernel[BLP_VAL], &krr->bounds.K_val));
  krr->bounds.computed = krr->changes;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* slope x radius, where the radius may be infinite. */
static PetscReal Rise(PetscReal slope, PetscReal radius)
{
  return slope > 0 ? slope * radius : 0;
}

PetscErrorCode BLPLossLipschitz_KRR(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c)
{
  KRR *krr = (KRR *)blp->data;
  Centre at;

  PetscFunctionBegin;
  PetscCall(KRRUpdate_Private(blp, BLP_TRAIN, lambda));
  PetscCall(KRRUpdate_Private(blp, BLP_VAL, lambda));
  PetscCall(UpdateBounds(krr));
  PetscCall(MeasureCentre(blp, lambda, w, &at));
  const PetscReal B = krr->bounds.B, B_val = krr->bounds.B_val, K_val = krr->bounds.K_val;
  const PetscReal nu2 = PetscSqrtReal(krr->s[0] * krr->s[0] + B * B);
  c->eta1 = Proved(K_val * K_val, "||K'||^2, by Collatz and Wielandt's bound");
  c->eta2 = Proved(B_val * (at.residual + Rise(K_val, radius)) + (at.C_val + Rise(B_val, radius)) * K_val,
                   "sup ||dK'|| ||y' - K'w|| + ||[dK'_k w]|| ||K'|| on the ball");
  c->nu1 = Proved(0, "0: the Hessian does not depend on w");
  c->nu2 = Proved(nu2, "||(s_0, bound of sup ||sum_k u_k s_k dK_k||)||");
  c->L_Phi = Proved(at.C + Rise(nu2, radius), "||[s_0 w, s_k dK_k w]|| + nu2 radius");
  PetscFunctionReturn(PETSC_SUCCESS);
}
