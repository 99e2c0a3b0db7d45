#ifndef TWOFOLD_THEOREM_H
#define TWOFOLD_THEOREM_H
/**
 * @file
 * The paper's error bounds as functions of plain numbers, and the numbers of a problem for them.
 *
 * They hold where ||d1Phi|| <= q < 1 in the Euclidean norm: for gradient descent and for a problem's own map,
 * not for heavy ball and Nesterov's method. Derivations are in docs/theory.md.
 *
 * Reference: Grazzi, Franceschi, Pontil, Salzo, On the iteration complexity of hypergradient computation,
 * ICML 2020.
 */
#include <twofold/fpm.h>

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * What the bounds are made of, at one lambda. E, Phi and what is Lipschitz are so on a convex set that holds
 * w(lambda) and all iterates.
 */
typedef struct {
  PetscReal q;     /**< `||d1Phi|| <= q` on that set */
  PetscReal M;     /**< `||(I - d1Phi)^-1|| <= M` there: 1 / (1 - q), or less where more is known */
  PetscReal D;     /**< `||w_0 - w(lambda)|| <= D`; from w_0 = 0 the paper's D */
  PetscReal V;     /**< `||v_0 - v(w_t)|| <= V`; from v_0 = 0 it is M L_E. Of AID alone */
  PetscReal L_E;   /**< `||grad1 E|| <= L_E` at w(lambda) and at w_t */
  PetscReal L_Phi; /**< `||d2Phi|| <= L_Phi` at w(lambda) and at w_t */
  PetscReal eta1;  /**< Lipschitz constant of grad1 E in w */
  PetscReal eta2;  /**< Lipschitz constant of grad2 E in w */
  PetscReal nu1;   /**< Lipschitz constant of d1Phi in w */
  PetscReal nu2;   /**< Lipschitz constant of d2Phi in w */
} BoundNumbers;

/** The same as constants with their standings; V is not among them. */
typedef struct {
  TwofoldConstant q;   /**< `||d1Phi||` */
  TwofoldConstant M;   /**< `||(I - d1Phi)^-1||` */
  TwofoldConstant D;   /**< `||w(lambda)||` */
  TwofoldConstant L_E; /**< `||grad1 E||` on the ball of radius 2 D around 0 */
  BLPLipschitz on;     /**< of E and of this map, on that ball */
} BoundConstants;

/**
 * rho(t) = q^t of a contraction, and sigma(k) = q^k of the fixed-point method for the adjoint.
 *
 * @notcollective
 *
 * @param[in]     q     contraction constant, not negative
 * @param[in]     t     steps
 * @param[out]    rate  q^t; 1 for no step
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE q or t is negative
 * @equation{(17)}
 */
PetscErrorCode BoundFixedPointRate(PetscReal q, PetscInt t, PetscReal *rate);
/**
 * sigma(k) of the conjugate gradient method: ||v_k - v|| <= sigma(k) ||v_0 - v||.
 *
 * @notcollective
 *
 * @param[in]     kappa  condition number of I - d1Phi, 1 or more; that of the Hessian for map gd
 * @param[in]     k      steps
 * @param[out]    rate   2 sqrt(kappa) ((sqrt(kappa) - 1) / (sqrt(kappa) + 1))^k, infinite where kappa is; may
 * be more than 1
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE kappa is less than 1, or k negative
 * @equation{(21)}
 */
PetscErrorCode BoundCGRate(PetscReal kappa, PetscInt k, PetscReal *rate);
/**
 * Bound of the error of iterative differentiation after t steps of a contraction.
 *
 * A start w_0 other than 0, whose derivative counts as 0, changes nothing but D.
 *
 * @notcollective
 *
 * @param[in]     a      the numbers; V is not used
 * @param[in]     t      steps
 * @param[out]    bound  of ||grad f_t - grad f||; infinite where q >= 1, NaN where a number is
 *
 * @raises PETSC_ERR_ARG_OUTOFRANGE t is negative
 * @equation{(8): (c1 + c2 t/q + c3) q^t, c1 = (eta2 + eta1 M L_Phi) D, c2 = (nu2 + nu1 M L_Phi) L_E D, c3 = M
 * L_Phi L_E; the paper has M = 1 / (1 - q)}
 */
PetscErrorCode BoundITD(const BoundNumbers *a, PetscInt t, PetscReal *bound);
/**
 * Bound of the error of approximate implicit differentiation, for any two solvers whose rates are known.
 *
 * @notcollective
 *
 * @param[in]     a      the numbers
 * @param[in]     rho    ||w_t - w(lambda)|| <= rho D
 * @param[in]     sigma  ||v_k - v(w_t)|| <= sigma V
 * @param[out]    bound  of ||g - grad f||; infinite where M is, NaN where a number is
 *
 * @equation{(13): (eta2 + eta1 M L_Phi + nu2 M L_E + nu1 M^2 L_Phi L_E) D rho(t) + L_Phi V sigma(k); with rho
 * and sigma by BoundFixedPointRate() it is (14)}
 */
PetscErrorCode BoundAID(const BoundNumbers *a, PetscReal rho, PetscReal sigma, PetscReal *bound);

/**
 * Collects the constants of the bounds for a map of a lower level that starts from w_0 = 0.
 *
 * For `gd` q is by mu, L and the step, and M = 1 / (alpha mu), which is no more than 1 / (1 - q). D is
 * ||grad l(0)|| / mu, or ||Phi(0)|| / (1 - q) of the problem's own map. Unknown is what the problem does not
 * give, and q, M and D of maps that are contractions in another norm only.
 *
 * @collective
 *
 * @param[in]     fpm     the map, with its problem; its step is chosen at lambda
 * @param[in]     lambda  hyperparameters
 * @param[out]    c       the constants
 *
 * @raises PETSC_ERR_SUP there is a lower level in each of several folds
 * @raises PETSC_ERR_ARG_WRONG as FPMPrepare()
 */
PetscErrorCode BoundCollect(FPM fpm, Vec lambda, BoundConstants *c);
/**
 * The numbers behind constants, each on its safe side, and what a bound made of them is worth.
 *
 * @notcollective
 *
 * @param[in]     c         the constants
 * @param[out]    a         the numbers, with V for v_0 = 0; NaN where unknown
 * @param[out]    standing  proved where all are, unknown where one is
 * @param[out]    missing   names the first unknown constant, NULL where all are known; never freed
 */
PetscErrorCode BoundGetNumbers(const BoundConstants *c, BoundNumbers *a, TwofoldStanding *standing,
                               const char **missing);

#if defined(__cplusplus)
}
#endif
#endif
