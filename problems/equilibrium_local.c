/*
  How far a map of fixed points contracts at a point, not only at its worst: with D_i = diag(1 - Phi(w)_i^2),
  which is 1 - w_i^2 at the fixed point,

    local_q        max_i ||D_i A||, the norm of d1Phi at w
    local_q_bound  max_i max D_i ||A||
    norm_A         ||A||, the bound wherever w is

  ||D_i A||^2 is the largest eigenvalue of A^T D_i^2 A. A decomposition for each sample would be of h^3
  operations or more; the method of Lanczos asks for two products with A a step, and those of many samples are
  one product of matrices. It approaches from below, and ends where in `stride` steps no sample of a piece has
  moved by more than `moved` of itself; after h steps at the latest, when it would be exact without rounding,
  or 300.
*/
#include "equilibrium.h"
/* after PETSc's own */
#include <petscblaslapack.h>

const char *const EquilibriumDiagnostics[] = {"local_q", "local_q_bound", "norm_A", NULL};

static const PetscReal moved = 1e-9; /* of a square */
enum { stride = 5, limit = 300 };

/* Samples at once, a column each. */
typedef struct {
  PetscInt rows, most; /* samples; steps at most */
  PetscInt steps;
  const PetscReal *D;
  PetscReal *v, *next, *work; /* h numbers a sample: the last vector, the one before or the next */
  PetscReal *alpha, *beta;    /* the tridiagonal matrices, `most` numbers a sample */
  PetscReal *top;             /* their largest eigenvalues */
  PetscReal *d, *e;           /* a copy of one */
} Lanczos;

static PetscErrorCode Create(PetscInt h, PetscInt rows, Lanczos *l)
{
  const PetscInt most = PetscMin(h, limit);
  const size_t states = (size_t)h * (size_t)rows, matrices = (size_t)most * (size_t)rows;

  PetscFunctionBegin;
  *l = (Lanczos){.most = most};
  PetscCall(PetscMalloc1(states, &l->v)); /* one by one, since the first two change places */
  PetscCall(PetscMalloc1(states, &l->next));
  PetscCall(PetscMalloc1(states, &l->work));
  PetscCall(PetscMalloc5(matrices, &l->alpha, matrices, &l->beta, rows, &l->top, most, &l->d, most, &l->e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Destroy(Lanczos *l)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(l->v));
  PetscCall(PetscFree(l->next));
  PetscCall(PetscFree(l->work));
  PetscCall(PetscFree5(l->alpha, l->beta, l->top, l->d, l->e));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* All samples from the same random vector of length 1. */
static PetscErrorCode Begin(PetscInt h, PetscInt rows, const PetscReal D[], Lanczos *l)
{
  PetscReal sum = 0;

  PetscFunctionBegin;
  l->rows = rows;
  l->D = D;
  l->steps = 0;
  for (PetscInt k = 0; k < h; k++) {
    l->v[k] = TwofoldRandomNormal(11, k);
    sum += l->v[k] * l->v[k];
  }
  for (PetscInt k = 0; k < h; k++) l->v[k] /= PetscSqrtReal(sum);
  for (PetscInt i = 1; i < rows; i++) PetscCall(PetscArraycpy(l->v + (size_t)i * (size_t)h, l->v, h));
  PetscCall(PetscArrayzero(l->next, (size_t)h * (size_t)rows));
  PetscCall(PetscArrayzero(l->top, rows));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscReal Dot(PetscInt n, const PetscReal x[], const PetscReal y[])
{
  PetscReal sum = 0;

  for (PetscInt k = 0; k < n; k++) sum += x[k] * y[k];
  return sum;
}

/* next <- A^T D^2 A v - beta next, made orthogonal to v and of length 1 (0 where nothing is left), and then
   the two change places. */
static PetscErrorCode Step(const Equilibrium *eq, Lanczos *l)
{
  const PetscInt h = eq->h, rows = l->rows, m = l->steps;
  PetscReal *const v = l->v, *const next = l->next;

  PetscFunctionBegin;
  PetscCall((*eq->layer->A)(eq, rows, eq->all, v, 0, l->work));
  for (PetscInt k = 0; k < h * rows; k++) l->work[k] *= l->D[k] * l->D[k];
  for (PetscInt i = 0; i < rows && m > 0; i++)
    for (PetscInt k = 0; k < h; k++) next[i * h + k] *= -l->beta[i * l->most + m - 1];
  PetscCall((*eq->layer->AT)(eq, rows, eq->all, l->work, 1, next));
  for (PetscInt i = 0; i < rows; i++) {
    PetscReal *const x = next + (size_t)i * (size_t)h;
    const PetscReal *const y = v + (size_t)i * (size_t)h, alpha = Dot(h, x, y);
    for (PetscInt k = 0; k < h; k++) x[k] -= alpha * y[k];
    const PetscReal beta = PetscSqrtReal(Dot(h, x, x));
    for (PetscInt k = 0; k < h; k++) x[k] = beta > 0 ? x[k] / beta : 0;
    l->alpha[i * l->most + m] = alpha;
    l->beta[i * l->most + m] = beta;
  }
  l->v = next;
  l->next = v;
  l->steps++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The largest eigenvalues as they are by now, and whether one has moved. */
static PetscErrorCode Look(Lanczos *l, PetscBool *has_moved)
{
  const PetscInt m = l->steps;
  PetscBLASInt n, one = 1, info;

  PetscFunctionBegin;
  PetscCall(PetscBLASIntCast(m, &n));
  *has_moved = PETSC_FALSE;
  for (PetscInt i = 0; i < l->rows; i++) {
    PetscCall(PetscArraycpy(l->d, l->alpha + i * l->most, m));
    PetscCall(PetscArraycpy(l->e, l->beta + i * l->most, m - 1));
    LAPACKsteqr_("N", &n, l->d, l->e, NULL, &one, NULL, &info);
    const PetscReal top = info ? (PetscReal)NAN : l->d[m - 1];
    if (!(PetscAbsReal(top - l->top[i]) <= moved * top)) *has_moved = PETSC_TRUE;
    l->top[i] = top;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* max_i ||D_i A||^2 of this rank's samples; NaN where one has it. */
static PetscErrorCode LargestSquare(const Equilibrium *eq, PetscInt n, const PetscReal D[],
                                    PetscReal *largest)
{
  const PetscInt h = eq->h;
  Lanczos l;

  PetscFunctionBegin;
  *largest = 0;
  PetscCall(Create(h, PetscMin(n, eq->nfew), &l));
  for (PetscInt first = 0; first < n; first += eq->nfew) {
    PetscBool has_moved = PETSC_TRUE;
    PetscCall(Begin(h, PetscMin(eq->nfew, n - first), D + (size_t)first * (size_t)h, &l));
    while (has_moved && l.steps < l.most) {
      PetscCall(Step(eq, &l));
      if (l.steps % stride == 0 || l.steps == l.most) PetscCall(Look(&l, &has_moved));
    }
    for (PetscInt i = 0; i < l.rows; i++)
      if (!(l.top[i] <= *largest)) *largest = l.top[i];
  }
  PetscCall(Destroy(&l));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPDiagnose_Equilibrium(BLP blp, Vec lambda, Vec w, PetscReal values[])
{
  Equilibrium *eq = (Equilibrium *)blp->data;
  EquilibriumSamples *const s = &eq->set[BLP_TRAIN];
  const PetscInt n = s->layout->n;
  PetscReal largest[2] = {0, 0}; /* a square, an entry of D */
  const PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(EquilibriumEnter_Private(eq, lambda));
  PetscCall(VecGetArrayRead(w, &a));
  PetscCall(EquilibriumSlope_Private(eq, s, a, eq->work));
  PetscCall(VecRestoreArrayRead(w, &a));
  PetscCall(LargestSquare(eq, n, eq->work, &largest[0]));
  for (PetscInt k = 0; k < n * eq->h; k++) largest[1] = PetscMax(largest[1], eq->work[k]);
  for (int k = 0; k < 2; k++)
    if (PetscIsNanReal(largest[k])) largest[k] = (PetscReal)INFINITY; /* MPI_MAX is vague on NaN */
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, largest, 2, MPIU_REAL, MPIU_MAX, s->layout->comm));
  PetscCall((*eq->layer->norm)(eq, eq->all, &values[2]));
  values[0] = PetscSqrtReal(largest[0]);
  values[1] = largest[1] * values[2];
  PetscFunctionReturn(PETSC_SUCCESS);
}
